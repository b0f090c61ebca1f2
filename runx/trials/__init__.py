"""The trials of searches: their spaces, what is known of them, and what is asked for next."""

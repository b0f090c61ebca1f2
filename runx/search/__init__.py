"""Search: the next point of a space, by what is known; and which runs to stop early. All pure."""

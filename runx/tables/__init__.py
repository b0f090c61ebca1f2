"""A question about results, and the table that answers it."""

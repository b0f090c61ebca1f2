"""A run's attempts, and the state that they come to."""

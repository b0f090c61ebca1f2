"""Tables and plots as text and files."""

"""The commands of runx and sumx: each parses, calls the API and prints."""

"""The commands: flags in, text out."""

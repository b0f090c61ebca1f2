"""The commands of runx, a module each, imported when asked for."""

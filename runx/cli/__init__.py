"""The commands runx and sumx: click options in, text and exit statuses out."""

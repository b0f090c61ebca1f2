"""An experiment as one HTML page, sent or followed live."""

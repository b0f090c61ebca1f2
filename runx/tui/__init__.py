"""``runx top``: experiments in the terminal, followed and steered. Needs textual."""

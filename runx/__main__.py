"""``python -m runx``: the command ``runx``."""

from runx.runx import main

main()

"""``python -m runx`` is runx."""

from runx.runx import main

main()

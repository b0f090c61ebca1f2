"""Read every file below a folder."""

import os
import sys

for folder, _, names in os.walk(sys.argv[1]):
    for name in names:
        with open(f"{folder}/{name}", "rb", buffering=0) as file:
            file.read()

"""Print what the environment says."""

import json
import os

told = {name: value for name, value in os.environ.items() if name.startswith("HP_")}
print(json.dumps(told))

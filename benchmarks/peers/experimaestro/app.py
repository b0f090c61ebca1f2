"""``python app.py RUNS``: so many tasks that do nothing."""

import sys

from experimaestro import Param, Task, experiment


class Nothing(Task):
    """Does nothing."""

    seed: Param[int]

    def execute(self):
        """Do nothing."""


if __name__ == "__main__":
    with experiment("workspace", "sweep"):
        for seed in range(int(sys.argv[1])):
            Nothing.C(seed=seed).submit()

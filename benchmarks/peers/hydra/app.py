"""``python app.py -m +seed=0,1,2``: a run for each seed, one after another, that does nothing."""

import hydra


@hydra.main(version_base=None)
def main(config):
    """Do nothing."""


main()

"""What holds for all tests."""

from hypothesis import settings

# A loaded machine is no failure: no test is judged by its time.
settings.register_profile("runx", deadline=None)
settings.load_profile("runx")

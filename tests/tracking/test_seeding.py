import random

import numpy as np
import pytest

from runx.errors import LogxError

torch = pytest.importorskip("torch")


@pytest.fixture
def logx(logx, tmp_path):
    logx.initialize(tmp_path, hparams={"seed": 2**40 + 1})
    return logx


def drawn():
    return random.random(), np.random.rand(), torch.rand(1).item()


def test_a_seed_that_is_missing_is_an_error(tmp_path, logx):
    logx.initialize(tmp_path / "other")
    with pytest.raises(LogxError, match="no hyperparameter seed; add one"):
        logx.seed()


@pytest.mark.parametrize("seed", ["abc", 1.5, True, [1]])
def test_a_seed_that_is_no_integer_needs_a_function_of_ones_own(logx, seed):
    with pytest.raises(LogxError, match="must be an integer, or give function="):
        logx.seed(seed)
    given = []
    assert logx.seed(seed, function=given.append) == seed
    assert given == [seed]


def test_the_hyperparameter_seeds_python_numpy_and_torch(logx):
    assert logx.seed() == 2**40 + 1
    first = drawn()
    logx.seed()
    assert drawn() == first
    logx.seed(2)
    assert drawn() != first


def test_deterministic_asks_torch_for_it(logx):
    try:
        logx.seed(1, deterministic=True)
        assert torch.are_deterministic_algorithms_enabled()
    finally:
        torch.use_deterministic_algorithms(False)

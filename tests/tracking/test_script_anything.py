"""Whatever a script hands to a call of logx, the training goes on.

A LogxError alone may be raised: for the mistakes that docs/logx.md names.
"""

import argparse
import collections
import math
import os
import sys
import tempfile
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from runx.errors import LogxError
from runx.logx import LogX
from runx.tracking.artifact_kinds import KINDS
from runx.tracking.main import ScriptRun

torch = pytest.importorskip("torch")


class Hostile:
    """Raises whatever is asked of it."""

    def __getattribute__(self, name):
        if name.startswith("_"):
            return object.__getattribute__(self, name)
        raise KeyError(name)

    def __repr__(self):
        """Hypothesis shows it."""
        return (
            "Hostile()" if "hypothesis" in sys._getframe(1).f_globals["__name__"] else self._raise()
        )

    def _raise(self, *arguments):
        raise KeyError("hostile")

    __str__ = __float__ = __index__ = __len__ = __iter__ = __array__ = _raise
    __fspath__ = keys = items = __getitem__ = _raise


class Items:
    def items(self):
        raise OSError("items")


CIRCULAR = []
CIRCULAR.append(CIRCULAR)
ODD = [
    None,
    Hostile(),
    Items(),
    object(),
    len,
    int,
    lambda: 1,
    CIRCULAR,
    {"a": CIRCULAR},
    -(10**400),
    1e300,
    math.nan,
    -math.inf,
    1j,
    Fraction(1, 3),
    "\ud800",
    "\0",
    "a" * 300,
    "",
    b"\xff",
    Path("there"),
    argparse.Namespace(a=1),
    collections.UserDict(a=1),
    np.float16(2),
    np.int64(3),
    np.zeros((3, 4)),
    np.full(3, np.nan),
    np.array([object()]),
    np.array("text"),
    torch.tensor(2.5),
    torch.zeros(0),
    torch.ones(2, 2, dtype=torch.bfloat16),
    torch.zeros(2, device="meta"),
    torch.nn.Linear(1, 1),
    torch.optim.SGD([torch.zeros(1, requires_grad=True)], 0.1),
    sys,
    NotImplemented,
    ...,
]
HUGE = [10**5000, -(10**4999)]
"""Python itself can't show these, nor can hypothesis."""
scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=9)
    | st.binary(max_size=9)
)
anything = st.recursive(
    st.sampled_from(ODD) | scalars,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.lists(inner, max_size=3).map(tuple)
        | st.dictionaries(st.text(max_size=3) | st.integers() | st.none(), inner, max_size=3)
    ),
    max_leaves=5,
)
named = st.dictionaries(
    st.sampled_from(["acc", "epoch", "timestamp", "a,b\n", ""]), anything, max_size=3
)
epochs = st.integers(-1, 9) | st.floats() | anything
phases = st.sampled_from(["train", "val", "test", "nosuch"]) | anything
kinds = st.sampled_from([None, *KINDS])
CALLS = {
    "metric": (phases, named | anything, epochs),
    "add_scalar": (anything, anything, epochs),
    "add_image": (anything, anything, epochs),
    "add_figure": (anything, anything, epochs),
    "add_histogram": (anything, anything, epochs),
    "add_text": (anything, anything, epochs),
    "add_hparams": (named | anything, named | anything),
    "artifact": (anything, st.text(max_size=5) | anything, kinds | anything),
    "load_artifact": (anything, kinds | anything),
    "register_kind": (st.text(max_size=5) | anything, anything, anything, anything),
    "msg": (anything, anything),
    "seed": (anything,),
    "should_stop": (anything,),
    "load_model": (anything,),
}
NAMED = {
    "save_model": {
        "save_dict": st.dictionaries(st.text(max_size=3), anything, max_size=2) | anything,
        "metric": anything,
        "epoch": epochs,
        "higher_better": anything,
        "delete_old": anything,
        "keep_last": st.integers(-1, 2) | anything,
        "keep_every": st.integers(-1, 2) | anything,
        "name": st.none() | anything,
        "async_save": st.booleans(),
    },
    "restore": {"path": st.none() | anything, "model": anything, "optimizer": anything},
    "initialize": {
        "coolname": anything,
        "config": st.none() | anything,
        "hparams": named | anything,
        "tensorboard": st.booleans(),
        "no_timestamp": anything,
        "global_rank": st.integers(0, 1) | anything,
        "eager_flush": anything,
        "phases": st.lists(st.text(max_size=3), max_size=2) | anything,
        "writers": st.lists(st.sampled_from(["csv", "tensorboard"])) | anything,
        "strict": st.booleans(),
        "system": st.booleans() | anything,
    },
}
EVERY = settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)


def only_told(call):
    """Make a call, which may raise a LogxError of one line."""
    try:
        call()
    except LogxError as error:
        assert str(error).strip(), error
        assert len(str(error).splitlines()) == 1, error


@pytest.fixture(scope="module")
def started():
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        for name in [*os.environ]:
            if name.startswith(("RUNX_", "SLURM_")) or name == "RANK":
                patch.delenv(name)
        patch.chdir(folder)
        logger = LogX()
        logger.initialize("run", tensorboard=True)
        yield logger
        logger.close()


@pytest.mark.parametrize("name", CALLS)
def test_no_argument_of_a_call_ends_the_training(started, name):
    @EVERY
    @given(st.tuples(*CALLS[name]))
    def play(arguments):
        only_told(lambda: getattr(started, name)(*arguments))

    play()
    started.flush()
    started.metric("val", {"acc": 1})


@pytest.mark.parametrize("name", ["save_model", "restore"])
def test_no_argument_of_checkpoints_ends_the_training(started, name):
    @EVERY
    @given(st.fixed_dictionaries({}, optional=NAMED[name]))
    def play(arguments):
        arguments = (
            {"save_dict": {}, "metric": None, **arguments} if name == "save_model" else arguments
        )
        only_told(lambda: getattr(started, name)(**arguments))

    play()
    started.metric("val", {"acc": 1})


@EVERY
@given(named | anything, epochs)
def test_no_metrics_of_a_function_that_is_a_run_end_it(started, metrics, step):
    only_told(lambda: ScriptRun(started).log(metrics, step))


@EVERY
@given(anything, anything)
def test_a_metric_that_a_script_has_set_itself_is_compared_or_told(started, best, metric):
    only_told(lambda: setattr(started, "best_metric", best))
    only_told(lambda: started.save_model({}, metric, 1))
    started.best_metric = None


@EVERY
@given(anything)
def test_a_reduction_is_one_or_told(started, how):
    only_told(lambda: started.metric("val", {"acc": 1}, reduce=how))


@EVERY
@given(anything)
def test_a_run_of_whose_artifacts_one_is_loaded_is_one_or_told(started, run):
    only_told(lambda: started.load_artifact("thing", run=run))


def test_initialize_starts_or_tells_what_is_wrong(started):
    @EVERY
    @given(st.fixed_dictionaries({}, optional=NAMED["initialize"]))
    def play(arguments):
        logger = LogX()
        try:
            only_told(lambda: logger.initialize("another", **arguments))
            if logger.initialized:
                logger.metric("val", {"acc": 1})
                assert logger.hparams is not None
        finally:
            logger.close()

    play()


@EVERY
@given(anything)
def test_a_directory_is_one_or_told(logdir):
    logger = LogX()
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        try:
            only_told(lambda: logger.initialize(logdir))
        finally:
            logger.close()


@pytest.mark.parametrize("value", ODD + HUGE, ids=lambda value: type(value).__name__)
def test_each_odd_object_is_taken_everywhere(started, value):
    for name in ("add_scalar", "add_image", "add_figure", "add_histogram", "add_text"):
        getattr(started, name)("tag", value, 1)
    started.msg(value)
    only_told(lambda: started.metric("val", {"acc": value}, 1))
    only_told(lambda: started.metric("val", {"acc": 1}, value))
    only_told(lambda: started.save_model({"state_dict": {}, "it": value}, None, 1))
    only_told(lambda: started.artifact(value, "thing"))
    other = LogX()
    other.initialize("other", hparams={"it": value})
    other.close()

import argparse
import collections
import dataclasses
import enum
import functools
import json
import types
from pathlib import Path

import numpy as np
import pytest

from runx.errors import LogxError
from runx.tracking.plain import as_mapping, plain

omegaconf = pytest.importorskip("omegaconf")


class Solver(enum.Enum):
    SGD = 1
    ADAM = "adam"


class Level(enum.IntEnum):
    LOW = 3


class Interval(str, enum.Enum):  # as transformers has it, whose str() is the name
    EPOCH = "epoch"


class Rate(float, enum.Enum):
    SLOW = 0.1


@dataclasses.dataclass(slots=True)
class Inner:
    width: int = 3
    data: Path = Path("x")


@dataclasses.dataclass
class Outer:
    lr: float = 0.1
    inner: Inner = dataclasses.field(default_factory=Inner)


class Static:
    lr = 0.1
    _hidden = 1

    def method(self):
        pass


class Slotted:
    __slots__ = ("lr",)

    def __init__(self):
        self.lr = 0.1


class Unshowable:
    def __repr__(self):
        raise KeyError("x")


class Unreadable(dict):
    def __iter__(self):
        raise OSError("x")


Named = collections.namedtuple("Named", "lr inner")
CIRCULAR = {}
CIRCULAR["self"] = CIRCULAR


@pytest.mark.parametrize(
    "value, expected",
    [
        (np.int64(32), 32),
        (np.bool_(True), True),
        (np.float64(0.5), 0.5),
        (np.array(3), 3),
        (np.array([1, 2]), [1, 2]),
        (np.str_("a"), "a"),
        (np.zeros((100, 100)), "a ndarray of shape (100, 100)"),
        (np.dtype("float32"), "float32"),
        (np.float32, "numpy.float32"),
        ((1, (2, 3)), [1, [2, 3]]),
        ({"b", "a", 3, 10}, [3, 10, "a", "b"]),
        (range(3), [0, 1, 2]),
        (collections.deque([1]), [1]),
        ({1: 2}.values(), [2]),
        (Path("a/b"), "a/b"),
        (b"abc", "abc"),
        (Solver.SGD, "SGD"),
        (Solver.ADAM, "adam"),
        (Level.LOW, 3),
        (Rate.SLOW, 0.1),
        (Interval.EPOCH, "epoch"),
        ({Interval.EPOCH: [Interval.EPOCH]}, {"epoch": ["epoch"]}),
        (json.dumps, "json.dumps"),
        (print, "print"),
        (Outer(), {"lr": 0.1, "inner": {"width": 3, "data": "x"}}),
        (argparse.Namespace(a=types.SimpleNamespace(b=np.int8(1))), {"a": {"b": 1}}),
        (Named(1, Inner(2)), {"lr": 1, "inner": {"width": 2, "data": "x"}}),
        (
            {(1, 2): 3, None: 4, True: 5, np.int64(7): 6},
            {"(1, 2)": 3, "null": 4, "true": 5, "7": 6},
        ),
        ({"deep": {(1, 2): {3: 4}}}, {"deep": {"(1, 2)": {"3": 4}}}),
        (CIRCULAR, {"self": "..."}),
        ([CIRCULAR, CIRCULAR], [{"self": "..."}, {"self": "..."}]),
        (Unshowable(), "<Unshowable>"),
        (2j, "2j"),
        (1 << 5000, hex(1 << 5000)),
        (None, None),
    ],
)
def test_a_value_is_kept_as_json_has_it(logx, tmp_path, value, expected):
    assert plain(value) == expected
    assert type(plain(value)) is type(expected)
    logx.initialize(tmp_path, hparams={"value": value})
    assert json.loads((tmp_path / "hparams.json").read_text()) == {"value": expected}


def test_no_address_of_an_object_is_kept():
    for value in (object(), iter([1]), functools.partial(lambda: 1, 2), Static().method):
        assert " at 0x" not in plain(value)


@pytest.mark.parametrize("dtype", ["float32", "bfloat16", "int64", "bool"])
def test_tensors_are_numbers_and_lists(dtype):
    torch = pytest.importorskip("torch")
    assert plain(torch.ones((), dtype=getattr(torch, dtype), requires_grad="float" in dtype)) == 1
    assert plain(torch.ones(2, dtype=getattr(torch, dtype))) == [1, 1]
    assert plain([torch.float32, torch.device("cpu")]) == ["torch.float32", "cpu"]
    assert plain(torch.zeros(2, device="meta")).startswith("tensor(...")
    assert plain(torch.nn.Linear(1, 2)) == "Linear(in_features=1, out_features=2, bias=True)"


def test_omegaconf_is_resolved_entry_by_entry():
    content = {
        "a": "???",
        "b": {"c": "${nosuch}", "l": [1, "${b.d}", "${no}"], "d": 5},
        "e": "${b.d}",
    }
    config = omegaconf.OmegaConf.create(content)
    assert plain(as_mapping(config)) == {
        "a": "???",
        "b": {"c": "${nosuch}", "l": [1, 5, "${no}"], "d": 5},
        "e": 5,
    }
    assert plain({"x": omegaconf.ListConfig(["???", {"y": 1}])}) == {"x": ["???", {"y": 1}]}
    assert plain(as_mapping(omegaconf.OmegaConf.structured(Outer))) == plain(Outer())


def test_classes_of_attrs_and_pydantic_are_records():
    attr, pydantic = pytest.importorskip("attr"), pytest.importorskip("pydantic")
    made = attr.make_class(
        "Made", {"lr": attr.ib(0.1), "inner": attr.ib(factory=Inner)}, slots=True
    )
    model = pydantic.create_model("Model", lr=(float, 0.1), inner=(Inner, Inner()))
    assert plain(as_mapping(made())) == plain(as_mapping(model())) == plain(Outer())


@pytest.mark.parametrize(
    "hparams",
    ['{"lr": 0.1}', b'{"lr": 0.1}', Static, Static(), Slotted(), argparse.Namespace(lr=0.1)],
)
def test_hyperparameters_have_names_in_every_usual_form(hparams):
    assert as_mapping(hparams) == {"lr": 0.1}


def test_nothing_but_names_makes_no_error():
    assert as_mapping({}) == as_mapping(argparse.Namespace()) == as_mapping("{}") == {}


@pytest.mark.parametrize(
    "hparams",
    [[1], 5, "lr", "[1]", True, (1,), {1}, len, json, object(), np.zeros(2), Unreadable(a=1)],
)
def test_what_has_no_names_is_told_at_once(logx, tmp_path, hparams):
    with pytest.raises(LogxError, match="hparams= takes a mapping"):
        logx.initialize(tmp_path, hparams=hparams)


def test_a_deep_mapping_ends():
    deep = inner = {}
    for _ in range(5000):
        inner["a"] = inner = {}
    assert json.dumps(plain(deep)).count("a") == 50


def test_the_script_s_own_values_stay_as_they_are(logx, tmp_path):
    logx.initialize(tmp_path, hparams={"data": Path("x"), "sizes": (1, 2)})
    assert logx.hparams.data == Path("x")
    assert logx.hparams.sizes == (1, 2)


def test_a_logger_with_whatever_hyperparameters_can_be_given_to_a_worker(logx, tmp_path):
    import pickle

    logx.initialize(tmp_path, hparams={"relu": lambda: 1}, writers=["csv", Listing()])
    assert pickle.dumps(logx)


class Listing:
    def __init__(self):
        self.unpicklable = lambda: 1

    def write(self, record):
        pass

    def close(self):
        pass

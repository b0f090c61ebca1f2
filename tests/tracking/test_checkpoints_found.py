import math
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from runx.errors import LogxError

torch = pytest.importorskip("torch")


@pytest.fixture
def logx(logx, tmp_path):
    logx.initialize(tmp_path)
    return logx


def names(folder):
    return sorted(path.name for path in folder.glob("*.pth"))


EPOCHS = [1.0, np.float32(3), np.int64(4), torch.tensor(5), "6", True, Fraction(8, 2), -1, 1e3]


@pytest.mark.parametrize("epoch", EPOCHS, ids=repr)
def test_a_whole_epoch_of_any_type_is_one(logx, tmp_path, epoch):
    logx.save_model({"state_dict": {}}, 0.5, epoch)
    whole = int(float(epoch))
    assert names(tmp_path) == [f"{kind}_checkpoint_ep{whole}.pth" for kind in ("best", "last")]
    logx.initialize(tmp_path)
    assert logx.restore() == whole + 1


def test_half_epochs_are_found_again_and_cleaned_up(logx, tmp_path):
    for iteration in range(6):
        logx.save_model({"state_dict": {}}, iteration, iteration / 2)
    assert names(tmp_path) == ["best_checkpoint_ep2.5.pth", "last_checkpoint_ep2.5.pth"]
    assert Path(logx.get_best_checkpoint()).name == "best_checkpoint_ep2.5.pth"
    logx.initialize(tmp_path)
    assert logx.best_metric == 5
    assert logx.restore() == 3
    logx.save_model({"state_dict": {}}, 9, 3)
    assert names(tmp_path) == ["best_checkpoint_ep3.pth", "last_checkpoint_ep3.pth"]


def test_small_parts_of_an_epoch_have_no_exponent(logx, tmp_path):
    logx.save_model({"state_dict": {}}, None, 1e-7)
    logx.save_model({"state_dict": {}}, None, 0.1 + 0.2)
    assert names(tmp_path) == ["last_checkpoint_ep0.3.pth"]
    assert logx.restore() == 1


def test_without_an_epoch_they_are_counted(logx, tmp_path):
    for _ in range(3):
        logx.save_model({"state_dict": {}}, 0.5, None)
    assert names(tmp_path) == ["best_checkpoint_ep0.pth", "last_checkpoint_ep2.pth"]
    logx.initialize(tmp_path)
    assert logx.restore() == 3
    logx.save_model({"state_dict": {}}, metric=0.6)
    assert names(tmp_path) == ["best_checkpoint_ep3.pth", "last_checkpoint_ep3.pth"]


@pytest.mark.parametrize("epoch", [math.nan, math.inf, 1e300, "x", object(), [1], 1j, np.zeros(2)])
def test_an_epoch_that_is_no_number_is_told_at_the_first_save(logx, tmp_path, epoch):
    with pytest.raises(LogxError, match="epoch"):
        logx.save_model({"state_dict": {}}, 0.5, epoch)
    assert names(tmp_path) == []


@pytest.mark.parametrize("given", [torch.nn.Linear(1, 1), None, [1], "model"])
def test_what_is_no_dictionary_is_told_with_what_to_give(logx, given):
    with pytest.raises(LogxError, match=r"save_model\(\{'state_dict': model.state_dict\(\)\}"):
        logx.save_model(given, 0.5, 1)


def test_what_pickle_refuses_is_told(logx):
    with pytest.raises(LogxError, match="what the checkpoint holds can't be saved"):
        logx.save_model({"state_dict": {}, "step": lambda: 1}, 0.5, 1)
    logx.save_model({"state_dict": {}}, 0.5, 2)


def test_what_pickle_refuses_in_the_background_is_told_at_the_latest_at_the_end(logx, capfd):
    logx.save_model({"state_dict": {}, "step": lambda: 1}, 0.5, 1, async_save=True)
    with pytest.raises(LogxError, match="can't be saved"):
        logx.save_model({"state_dict": {}}, 0.5, 2)
    logx.save_model({"state_dict": {}, "step": lambda: 1}, 0.5, 3, async_save=True)
    logx.metric("val", {"acc": 1})
    logx.close()
    assert "can't be saved" in capfd.readouterr().err


# Whole objects


@pytest.mark.parametrize("key", ["model", "state_dict", "net"])
def test_a_whole_module_is_warned_of_when_saved_and_restored_when_trusted(logx, capfd, key):
    model = torch.nn.Linear(2, 1)
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    for epoch in (1, 2):
        logx.save_model({key: model, "optimizer": optimizer}, None, epoch)
    told = capfd.readouterr().err
    assert told.count("restore() will load it only with weights_only=False") == 1
    assert "torch.nn.modules.linear.Linear" in told
    other = torch.nn.Linear(2, 1)
    with pytest.raises(LogxError, match="ask with weights_only=False"):
        logx.restore(model=other)
    assert (
        logx.restore(
            model=other, optimizer=torch.optim.SGD(other.parameters(), 1.0), weights_only=False
        )
        == 3
    )
    assert torch.equal(other.weight, model.weight)


def test_weights_and_numbers_are_not_warned_of(logx, capfd):
    model = torch.nn.Linear(2, 1)
    state = {"state_dict": model.state_dict(), "best": np.float64(1), "names": ["a", None]}
    logx.save_model(state, np.float32(0.5), 1)
    assert capfd.readouterr().err == ""
    assert logx.restore(model=model) == 2


def test_what_can_not_be_restored_is_named(logx):
    logx.save_model({"state_dict": {}, "step": {}}, None, 1)
    with pytest.raises(LogxError, match="step is a int, which has no state"):
        logx.restore(step=3)


# Wrappers


class Wrapped(torch.nn.Module):
    """As DataParallel, torch.compile and FSDP wrap a module, without what they need."""

    def __init__(self, name, inner):
        super().__init__()
        self.add_module(name, inner)


def model():
    return torch.nn.Sequential(torch.nn.Linear(2, 2), torch.nn.BatchNorm1d(2))


def wrapped(*wrappers):
    inner = model()
    for name in wrappers:
        inner = Wrapped(name, inner)
    return inner


WRAPPINGS = [
    (),
    ("module",),
    ("_orig_mod",),
    ("module", "_orig_mod"),
    ("_orig_mod", "module"),
    ("_fsdp_wrapped_module", "_orig_mod"),
    ("module", "_orig_mod", "module", "_checkpoint_wrapped_module"),
]


@pytest.mark.parametrize("restored", WRAPPINGS)
@pytest.mark.parametrize("saved", WRAPPINGS)
def test_wrappers_in_any_order_make_no_difference(logx, saved, restored):
    given, target = wrapped(*saved), wrapped(*restored)
    logx.save_model({"state_dict": given.state_dict()}, None, 0)
    logx.restore(model=target)
    for one, other in zip(given.state_dict().values(), target.state_dict().values(), strict=True):
        assert torch.equal(one, other)


def test_wrappers_of_inner_modules_are_matched(logx):
    target = model()
    target[0] = Wrapped("_orig_mod", torch.nn.Linear(2, 2))
    logx.save_model({"state_dict": (given := model()).state_dict()}, None, 0)
    logx.restore(model=target)
    assert torch.equal(target[0]._orig_mod.weight, given[0].weight)


def test_real_wrappers_are_matched(logx):
    given = torch.nn.DataParallel(model())
    logx.save_model({"state_dict": given.state_dict()}, None, 0)
    target = torch.compile(model())
    logx.restore(model=target)
    assert torch.equal(target._orig_mod[0].weight, given.module[0].weight)


def test_a_module_that_calls_its_own_part_module_keeps_both(logx):
    class Both(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.weight = torch.nn.Parameter(torch.rand(1))
            self.module = torch.nn.Module()
            self.module.weight = torch.nn.Parameter(torch.rand(1))

    given, target = Both(), Both()
    logx.save_model({"state_dict": given.state_dict()}, None, 0)
    logx.restore(model=target)
    assert torch.equal(given.module.weight, target.module.weight)
    assert torch.equal(given.weight, target.weight)


# Damage


@pytest.mark.parametrize(
    "content",
    [
        {"state_dict": {}, "__runx": {"epoch": "x"}},
        {"state_dict": {}, "__runx": 3},
        {"state_dict": 3},
        {"state_dict": {}, "__runx": {"epoch": math.nan}},
    ],
)
def test_what_is_damaged_inside_falls_back(logx, tmp_path, capfd, content):
    logx.save_model({"state_dict": {}}, None, 1)
    torch.save(content, tmp_path / "last_checkpoint_ep2.pth")
    assert logx.restore(model=torch.nn.Module()) == 2
    assert "going on from last_checkpoint_ep1.pth" in capfd.readouterr().err


def test_damaged_random_states_are_told_and_the_rest_is_restored(logx, tmp_path, capfd):
    logx.save_model({"state_dict": {}}, None, 1)
    torch.save(
        {"state_dict": {}, "__runx": {"epoch": 2, "random": 3}},
        tmp_path / "last_checkpoint_ep2.pth",
    )
    assert logx.restore(model=torch.nn.Module()) == 3
    assert "its random states can't be set" in capfd.readouterr().err


@pytest.mark.parametrize("metric", ["text", [1], None])
def test_a_best_checkpoint_with_an_odd_metric_stops_nobody(logx, tmp_path, metric):
    torch.save({"state_dict": {}, "__metric": metric}, tmp_path / "best_checkpoint_ep1.pth")
    assert logx.best_metric is None
    assert logx.save_model({"state_dict": {}}, 0.1, 2)
    assert names(tmp_path) == ["best_checkpoint_ep2.pth", "last_checkpoint_ep2.pth"]

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from runx.errors import LogxError
from runx.logx import LogX

torch = pytest.importorskip("torch")
ROOT = Path(__file__).parents[2]


@pytest.fixture
def logx(logx, tmp_path):
    logx.initialize(tmp_path)
    return logx


def names(folder):
    return sorted(path.name for path in folder.iterdir() if ".pth" in path.name)


def saved(logx, epoch, metric=0.5, **options):
    return logx.save_model({"state_dict": {"w": torch.ones(3) * epoch}}, metric, epoch, **options)


# Failures first


def test_a_damaged_last_checkpoint_falls_back_to_the_newest_whole_one(logx, tmp_path, capfd):
    saved(logx, 1, delete_old=False)
    saved(logx, 2, metric=0.1, delete_old=False)
    path = tmp_path / "last_checkpoint_ep2.pth"
    path.write_bytes(path.read_bytes()[:700])
    assert logx.restore() == 2
    assert "ep2.pth: can't be loaded" in capfd.readouterr().err


def test_a_checkpoint_that_was_cut_off_anywhere_falls_back(logx, tmp_path):
    saved(logx, 1, delete_old=False)
    state = {f"layer{number}": torch.ones(20) for number in range(20)}
    logx.save_model({"state_dict": state}, 0.1, 2, delete_old=False)
    path = tmp_path / "last_checkpoint_ep2.pth"
    whole = path.read_bytes()
    for length in range(0, len(whole) - 1, len(whole) // 40):
        path.write_bytes(whole[:length])
        assert logx.restore() == 2, length


@pytest.mark.parametrize(
    "error",
    [KeyError("x"), IndexError(1), EOFError(), TypeError("x"), RecursionError()],
)
def test_whatever_torch_raises_for_a_damaged_checkpoint_it_falls_back(logx, monkeypatch, error):
    saved(logx, 1, delete_old=False)
    saved(logx, 2, metric=0.1, delete_old=False)
    load = torch.load

    def broken(path, **options):
        if "ep2" in str(path):
            raise error
        return load(path, **options)

    monkeypatch.setattr(torch, "load", broken)
    assert logx.restore() == 2


@pytest.mark.parametrize("content", [{"state_dict": 3}, {"state_dict": None}, {"state_dict": [1]}])
def test_a_checkpoint_without_a_state_falls_back(logx, tmp_path, content, capfd):
    model = torch.nn.Linear(2, 3)
    logx.save_model({"state_dict": model.state_dict()}, None, 1)
    torch.save(content, tmp_path / "last_checkpoint_ep2.pth")
    assert logx.restore(model=model) == 2
    assert "ep2.pth: holds no state for model" in capfd.readouterr().err


def test_a_folder_in_a_checkpoint_s_place_falls_back(logx, tmp_path):
    saved(logx, 1)
    (tmp_path / "last_checkpoint_ep2.pth").mkdir()
    assert logx.restore() == 2


def test_when_no_checkpoint_loads_restore_does_not_begin_anew_silently(logx, tmp_path):
    (tmp_path / "last_checkpoint_ep2.pth").write_bytes(b"")
    with pytest.raises(LogxError, match="no checkpoint loads; move them away"):
        logx.restore()


def test_a_checkpoint_that_could_run_code_is_refused_with_the_way_to_ask(logx, tmp_path):
    torch.save({"state_dict": {}, "args": Path("x")}, tmp_path / "last_checkpoint_ep1.pth")
    with pytest.raises(LogxError, match="ask with weights_only=False"):
        logx.load_model(tmp_path / "last_checkpoint_ep1.pth")
    with pytest.raises(LogxError, match="ask with weights_only=False"):
        logx.restore()
    _, meta = logx.load_model(tmp_path / "last_checkpoint_ep1.pth", weights_only=False)
    assert meta == {"args": Path("x")}


def test_saving_without_torch_says_what_to_install(logx, monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(LogxError, match="checkpoints need torch: pip install torch"):
        logx.save_model({}, 1, 1)


def test_what_no_older_checkpoint_would_mend_is_not_taken_for_damage(logx, monkeypatch):
    saved(logx, 1)

    def out_of_memory(*arguments, **named):
        raise RuntimeError("CUDA out of memory")

    monkeypatch.setattr(torch, "load", out_of_memory)
    with pytest.raises(LogxError, match=r"ep1\.pth: can't be loaded: CUDA out of memory"):
        logx.restore()


def test_a_checkpoint_that_is_not_there_is_an_error(logx, tmp_path):
    with pytest.raises(LogxError, match="there is no such checkpoint"):
        logx.load_model(tmp_path / "none.pth")


def test_keys_that_do_not_fit_are_listed_and_nothing_is_changed(logx):
    logx.save_model({"state_dict": torch.nn.Linear(2, 3).state_dict()}, None, 1)
    model = torch.nn.Sequential(torch.nn.Linear(2, 3))
    before = model[0].weight.clone()
    with pytest.raises(LogxError, match=r"missing: 0\.weight, 0\.bias; unexpected: weight, bias"):
        logx.restore(model=model)
    with pytest.raises(LogxError, match=r"shapes: weight \(3, 2\) for \(4, 2\)"):
        logx.restore(model=torch.nn.Linear(2, 4))
    assert torch.equal(model[0].weight, before)


def test_an_object_that_the_checkpoint_lacks_is_named(logx):
    model = torch.nn.Linear(2, 3)
    logx.save_model({"state_dict": model.state_dict(), "epoch": 1}, None, 1)
    with pytest.raises(LogxError, match="nothing for optimizer; it has state_dict, epoch"):
        logx.restore(model=model, optimizer=torch.optim.SGD(model.parameters(), 0.1))


def test_an_optimizer_of_another_model_is_refused(logx):
    small, large = (
        torch.nn.Linear(2, 3),
        torch.nn.Sequential(torch.nn.Linear(1, 1), torch.nn.PReLU()),
    )
    optimizer = torch.optim.SGD(large.parameters(), 0.1)
    logx.save_model({"state_dict": small.state_dict(), "optimizer": optimizer.state_dict()}, 1, 1)
    with pytest.raises(LogxError, match="doesn't fit the optimizer"):
        logx.restore(model=small, optimizer=torch.optim.SGD(small.parameters(), 0.1))


@pytest.mark.parametrize("name", ["../x", "", "last_checkpoint_ep3", ".hidden", "a/b"])
def test_a_name_that_cannot_be_a_checkpoints_is_refused(logx, name):
    with pytest.raises(LogxError, match="can't be a checkpoint's name"):
        saved(logx, 1, name=name)


class Hostile(str):
    def __repr__(self):
        raise KeyError("hostile")

    __str__ = __repr__


@pytest.mark.parametrize("kind", [Hostile, lambda name: [Hostile(name)]])
def test_a_name_that_cannot_be_shown_is_refused_like_any_other(logx, kind):
    with pytest.raises(LogxError, match="can't be a checkpoint's name"):
        saved(logx, 1, name=kind("../x"))


def test_a_metric_that_is_no_number_is_refused_before_anything_is_written(logx, tmp_path):
    with pytest.raises(LogxError, match="save_model: metric= takes a number, not 'high'"):
        saved(logx, 1, metric="high")
    assert names(tmp_path) == []


def test_a_disk_that_refuses_a_checkpoint_does_not_end_the_training(
    public, as_ordinary_user, monkeypatch, capfd
):
    for name in ("RUNX_LOGDIR", "RUNX_LOGX", "RANK"):
        monkeypatch.delenv(name, raising=False)
    logger = LogX()
    logger.initialize(public / "run", tensorboard=False)
    # What saving imports lies where an ordinary user may not look.
    assert saved(logger, 0) is True
    for path in (public / "run").rglob("*"):
        path.chmod(0o777)
    (public / "run").chmod(0o555)

    def refused():
        assert saved(logger, 1) is False
        assert saved(logger, 2) is False

    as_ordinary_user(refused)
    assert capfd.readouterr().err.count("checkpoint can't be written") == 1
    (public / "run").chmod(0o755)
    assert saved(logger, 3, metric=0.9) is True
    logger.close()


def test_a_vanished_directory_does_not_end_the_training(logx, tmp_path, capfd):
    saved(logx, 1)
    tmp_path.rename(tmp_path.with_name("away"))
    assert saved(logx, 2, metric=0.9) is False
    tmp_path.with_name("away").rename(tmp_path)
    assert saved(logx, 3, metric=0.9) is True
    assert capfd.readouterr().err.count("checkpoint can't be written") == 1


LIMITED = """
import resource, sys, torch
from runx.logx import logx
logx.initialize("run")
logx.save_model({"state_dict": {"w": torch.ones(10)}}, 0.5, 1)
resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, resource.RLIM_INFINITY))
print(logx.save_model({"state_dict": {"w": torch.ones(100_000)}}, 0.9, 2))
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
print(logx.save_model({"state_dict": {"w": torch.ones(100_000)}}, 0.7, 3))
"""


def test_a_checkpoint_that_the_disk_has_no_room_for_is_left_out(tmp_path):
    done = script(LIMITED, tmp_path)
    assert done.stdout.split() == ["False", "True"], done.stderr
    assert done.stderr.count("checkpoint can't be written") == 1
    assert names(tmp_path / "run") == ["best_checkpoint_ep3.pth", "last_checkpoint_ep3.pth"]


# Choosing


def test_last_and_best_are_kept_and_older_ones_go(logx, tmp_path):
    assert [saved(logx, epoch, metric) for epoch, metric in enumerate([0.5, 0.7, 0.6])] == [
        True,
        True,
        False,
    ]
    assert names(tmp_path) == ["best_checkpoint_ep1.pth", "last_checkpoint_ep2.pth"]
    assert logx.get_best_checkpoint() == str(tmp_path / "best_checkpoint_ep1.pth")
    assert logx.best_metric == 0.7


def test_lower_may_be_better(logx, tmp_path):
    for epoch, loss in enumerate([0.5, 0.3, 0.4]):
        saved(logx, epoch, loss, higher_better=False)
    assert Path(logx.get_best_checkpoint()).name == "best_checkpoint_ep1.pth"


def test_not_a_number_is_never_better_than_a_number(logx):
    assert saved(logx, 0, float("nan"))
    assert saved(logx, 1, 0.1)
    assert not saved(logx, 2, float("nan"))


def test_the_best_is_another_name_of_the_same_file(logx, tmp_path):
    saved(logx, 1)
    best, last = (tmp_path / name for name in names(tmp_path))
    assert best.samefile(last)


def test_of_several_best_ones_the_highest_epoch_counts(logx, tmp_path):
    for epoch in (2, 10, 9):
        (tmp_path / f"best_checkpoint_ep{epoch}.pth").write_bytes(b"")
    (tmp_path / "best_checkpoint_ep11.pth.12.tmp").write_bytes(b"")
    assert logx.get_best_checkpoint() == str(tmp_path / "best_checkpoint_ep10.pth")


def test_without_delete_old_every_last_one_stays(logx, tmp_path):
    for epoch in range(3):
        saved(logx, epoch, None, delete_old=False)
    assert len(names(tmp_path)) == 3
    saved(logx, 3, None)
    assert names(tmp_path) == [f"last_checkpoint_ep{epoch}.pth" for epoch in (0, 1, 3)]


def test_some_of_the_last_ones_may_be_kept(logx, tmp_path):
    for epoch in range(6):
        saved(logx, epoch, None, keep_last=2)
    assert names(tmp_path) == ["last_checkpoint_ep4.pth", "last_checkpoint_ep5.pth"]


def test_every_nth_may_be_kept(logx, tmp_path):
    for epoch in range(1, 8):
        saved(logx, epoch, None, keep_every=3)
    assert names(tmp_path) == [f"last_checkpoint_ep{epoch}.pth" for epoch in (3, 6, 7)]


def test_without_a_metric_there_is_no_best(logx, tmp_path):
    assert saved(logx, 1, None) is False
    assert names(tmp_path) == ["last_checkpoint_ep1.pth"]


def test_a_named_one_stands_apart(logx, tmp_path):
    saved(logx, 1)
    saved(logx, 2, 0.9, name="averaged")
    assert names(tmp_path) == [
        "averaged.pth",
        "best_checkpoint_ep1.pth",
        "last_checkpoint_ep1.pth",
    ]
    assert logx.restore(path=tmp_path / "averaged.pth") == 3


def test_the_scripts_dictionary_is_left_as_it_is(logx):
    given = {"state_dict": {}}
    logx.save_model(given, 1, 1)
    assert given == {"state_dict": {}}


# Going on


def test_a_resumed_run_knows_the_best_metric(logx, tmp_path):
    saved(logx, 1, 0.9)
    logx.initialize(tmp_path)
    assert saved(logx, 2, 0.8) is False
    assert names(tmp_path) == ["best_checkpoint_ep1.pth", "last_checkpoint_ep2.pth"]


def test_the_originals_checkpoint_tells_the_best_metric(logx, tmp_path):
    numpy = pytest.importorskip("numpy")
    content = {"state_dict": {"w": torch.ones(1)}, "epoch": 4, "__metric": numpy.float64(0.9)}
    torch.save(content, tmp_path / "best_checkpoint_ep4.pth")
    assert logx.best_metric == 0.9
    assert saved(logx, 5, 0.8) is False
    assert logx.load_model(tmp_path / "best_checkpoint_ep4.pth")[1]["epoch"] == 4


def test_a_best_one_that_was_named_just_before_a_kill_is_believed(logx, tmp_path):
    saved(logx, 1, 0.5)
    noted = json.loads((tmp_path / "logx.json").read_text())
    saved(logx, 2, 0.9)
    (tmp_path / "logx.json").write_text(json.dumps(noted))
    logx.initialize(tmp_path)
    assert logx.best_metric == 0.9


def test_where_there_is_nothing_restore_begins_at_epoch_0(logx):
    model = torch.nn.Linear(2, 2)
    assert logx.restore(model=model, optimizer=torch.optim.SGD(model.parameters(), 0.1)) == 0


def trained(model, optimizer, scheduler, epochs):
    import random

    import numpy

    losses = []
    for _ in range(epochs):
        noise = random.random() + numpy.random.rand()
        loss = ((model(torch.rand(4, 2)) - noise) ** 2).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        scheduler.step()
        losses.append(loss.item())
    return losses


def parts():
    torch.manual_seed(1)
    model = torch.nn.Linear(2, 1)
    optimizer = torch.optim.Adam(model.parameters(), 0.1)
    return model, optimizer, torch.optim.lr_scheduler.StepLR(optimizer, 2)


def test_a_restored_training_goes_on_exactly_as_one_that_was_not_stopped(logx):
    model, optimizer, scheduler = parts()
    trained(model, optimizer, scheduler, 3)
    content = {
        "state_dict": model.state_dict(),
        "optimizer": optimizer.state_dict(),
        "scheduler_state_dict": scheduler.state_dict(),
    }
    logx.save_model(content, 0.5, 2)
    through = trained(model, optimizer, scheduler, 4)
    model, optimizer, scheduler = parts()
    assert logx.restore(model=model, optimizer=optimizer, scheduler=scheduler) == 3
    assert trained(model, optimizer, scheduler, 4) == through


def test_other_ranks_keep_random_states_of_their_own(logx, tmp_path):
    saved(logx, 1)
    other = LogX()
    other.initialize(tmp_path, global_rank=1)
    before = torch.get_rng_state()
    torch.rand(1)
    advanced = torch.get_rng_state()
    assert other.restore() == 2
    assert torch.equal(torch.get_rng_state(), advanced)
    assert logx.restore() == 2
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize("prefix", ["module.", "_orig_mod."])
def test_wrappers_around_the_model_make_no_difference(logx, prefix):
    model = torch.nn.Linear(2, 1)
    state = {prefix + key: value + 1 for key, value in model.state_dict().items()}
    logx.save_model({"model": state}, None, 0)
    expected = model.weight + 1
    logx.restore(model=model)
    assert torch.equal(model.weight, expected)


def test_saving_in_the_background_writes_what_was_there_at_the_call(logx, tmp_path):
    weights = torch.ones(1000)
    assert logx.save_model({"state_dict": {"w": weights}}, 0.5, 1, async_save=True)
    weights.zero_()
    assert not logx.save_model({"state_dict": {"w": weights}}, 0.4, 2, async_save=True)
    logx.close()
    state, meta = logx.load_model(tmp_path / "best_checkpoint_ep1.pth")
    assert state["w"].sum() == 1000
    assert meta == {"__metric": 0.5}
    assert names(tmp_path) == ["best_checkpoint_ep1.pth", "last_checkpoint_ep2.pth"]


def test_leaving_waits_for_the_background(tmp_path):
    code = """
        import torch
        from runx.logx import logx
        logx.initialize("run")
        logx.save_model({"state_dict": {"w": torch.ones(1_000_000)}}, 0.5, 1, async_save=True)
    """
    assert script(code, tmp_path).returncode == 0
    assert len(names(tmp_path / "run")) == 2


def test_what_a_killed_attempt_left_half_written_is_swept(logx, tmp_path):
    (tmp_path / "last_checkpoint_ep1.pth.77.tmp").write_bytes(b"torn")
    saved(logx, 2, None)
    assert names(tmp_path) == ["last_checkpoint_ep2.pth"]


def script(code, folder, **options):
    import textwrap

    environment = {key: value for key, value in os.environ.items() if key[:5] != "RUNX_"}
    return subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)],
        cwd=folder,
        env={**environment, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
        **options,
    )


FORKED = """
import os, random, signal, sys, time
import torch
from runx.logx import LogX
from runx.rundir.checkpoints import checkpoints_in
from runx.rundir.paths import RunDir
from pathlib import Path
random.seed(7)
reached = 0
for round in range(100):
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        logx = LogX()
        logx.initialize("run", no_timestamp=True)
        start = logx.restore()
        for epoch in range(start, 10**6):
            logx.save_model({"state_dict": {"w": torch.full((20_000,), epoch)}}, epoch, epoch)
            os.write(writing, b"x" if epoch == start else b"")
    os.read(reading, 1)
    time.sleep(random.random() * 0.02)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    os.close(reading), os.close(writing)
    logx = LogX()
    logx.initialize("run", global_rank=1)
    epochs = [each.epoch for each in checkpoints_in(RunDir(Path("run"))) if each.kind == "last"]
    next_epoch = logx.restore()
    assert next_epoch == max(epochs) + 1 > reached, (epochs, next_epoch, reached)
    reached = next_epoch
    state, meta = logx.load_model(logx.get_best_checkpoint())
    assert (state["w"] == meta["__metric"]).all()
assert reached >= 100, reached
"""


def test_killed_at_a_hundred_random_moments_there_is_always_one_that_loads(tmp_path):
    done = script(FORKED, tmp_path)
    assert done.returncode == 0, done.stderr[-2000:]
    assert len(names(tmp_path / "run")) <= 6

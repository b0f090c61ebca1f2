"""What a person sees in ``runx top``, and reaches by its keys."""

import json
import os
import shutil

import pytest
from run_folders import make_run
from textual import events
from tops import play

from benchmarks import projects
from runx.errors import RunxError
from runx.rundir.records import encode


@pytest.fixture
def sweep(tmp_path):
    for at, name in enumerate(["ant", "bee", "cat", "dog"]):
        acc = [0.1 * at, 0.2 * at, 0.5 - 0.1 * at]
        run = make_run(tmp_path / "sweep" / name, {"lr": 10**-at, "seed": at}, acc)
        (run / "output.log").write_text(f"{name} begins\n{name} ends\n")
    return tmp_path


def test_runs_and_what_the_first_printed_are_on_80_by_24(sweep):
    async def scene(top):
        await top.shows("ant begins", "ant ends")
        assert top.lines[0] == "sweep: 4 runs: 4 done"
        assert top.lines[1].split()[:4] == ["run", "lr", "seed", "state"]
        assert top.rows() == ["ant", "bee", "cat", "dog"]
        assert top.lines[-1].endswith("o page ? keys q quit")
        assert len(top.lines) == 24
        assert max(map(len, top.lines)) <= 80

    play(sweep, scene)


def test_j_and_k_move_and_the_pane_follows(sweep):
    async def scene(top):
        await top.press("j", "j")
        await top.shows("cat begins")
        await top.press("k")
        await top.shows("bee begins")
        await top.press("G")
        await top.shows("dog begins")
        await top.press("j", "g")
        await top.shows("ant begins")

    play(sweep, scene)


def test_a_filter_is_an_expression_and_may_be_taken_back(sweep):
    async def scene(top):
        await top.press("slash")
        await top.type("lr < 0.5 and run != 'dog'")
        await top.until(lambda: top.rows() == ["bee", "cat"])
        assert top.lines[0] == "sweep: 4 runs: 4 done; 2 with lr < 0.5 and run != 'dog'"
        await top.press("slash", "escape")
        assert top.rows() == ["bee", "cat"]
        await top.press("slash", "ctrl+u", "enter")
        await top.until(lambda: len(top.rows()) == 4)

    play(sweep, scene)


def test_a_filter_asks_for_what_is_to_be_read_of_a_metric(sweep):
    async def scene(top):
        await top.press("slash")
        await top.type("acc:best > 0.45")
        await top.until(lambda: top.rows() == ["ant", "dog"])

    play(sweep, scene)


@pytest.mark.parametrize(
    ("text", "mistake"),
    [("lrr < 1", "did you mean lr?"), ("lr <", "no expression"), ("(" * 300, "")],
)
def test_a_mistake_in_a_filter_is_said_and_what_was_shown_stays(sweep, text, mistake):
    async def scene(top):
        await top.press("slash")
        await top.type(text)
        await top.shows(mistake)
        assert top.app.asks.has_focus
        await top.press("escape")
        assert len(top.rows()) == 4

    play(sweep, scene)


def test_what_is_typed_ahead_of_a_prompt_is_meant_for_it(sweep):
    async def scene(top):
        for key in ("slash", *"lr<0.05", "enter"):
            top.app.post_message(events.Key(key, key if len(key) == 1 else None))
        await top.until(lambda: top.rows() == ["cat", "dog"])
        assert not top.app.screen_stack[1:]

    play(sweep, scene)


def test_tab_takes_what_is_suggested(sweep):
    async def scene(top):
        await top.press("s", "s", "e")
        await top.until(lambda: top.app.asks._suggestion == "seed")
        await top.press("tab", "enter")
        await top.until(lambda: "; by seed" in top.lines[0])

    play(sweep, scene)


def test_a_flood_of_lines_is_kept_to_its_end(sweep):
    async def scene(top):
        for at in range(30_000):
            top.app.say(f"line {at}")
        await top.press("6")
        await top.shows("line 29999")
        assert len(top.app.console_lines) == 10_000

    play(sweep, scene)


def test_runs_are_sorted_as_sumx_sorts_them_or_the_other_way_round(sweep):
    async def scene(top):
        await top.press("s")
        await top.type("acc")
        await top.until(lambda: top.rows() == ["dog", "ant", "bee", "cat"])
        assert "acc-best" in top.lines[1]
        await top.press("S")
        assert top.rows() == ["cat", "bee", "ant", "dog"]
        await top.press("s")
        await top.type("accu")
        await top.shows("no run has such a metric")

    play(sweep, scene)


def test_a_question_of_the_command_line_is_answered_at_once(sweep):
    async def scene(top):
        assert top.rows() == ["dog", "bee"]

    play(sweep, scene, "sweep", where="run in ['dog', 'bee']", sortwith="acc")


def test_curves_of_marked_runs_lie_over_each_other_in_the_marks_of_the_table(sweep):
    async def scene(top):
        await top.press("2")
        await top.shows("o  ant")
        await top.press("j", "m", "space")
        await top.shows("o  bee", "x  cat")
        assert "ant" not in "".join(top.lines[12:])
        assert [line.split()[:2] for line in top.lines[2:6]] == [
            ["ant", "1"],
            ["o", "bee"],
            ["x", "cat"],
            ["dog", "0.001"],
        ]
        await top.press("k", "m")
        await top.until(lambda: "x  cat" not in top.text and "o  bee" in top.text)
        await top.press("u")
        await top.until(lambda: "o  bee" not in top.text)

    play(sweep, scene)


def test_the_metric_and_the_axes_of_curves_are_chosen(sweep):
    folder = sweep / "sweep" / "ant"
    rows = [encode("train", {"loss": 10.0**-epoch}, epoch, 20.0 * epoch) for epoch in range(4)]
    (folder / "metrics.train.csv").write_text("".join(rows))

    async def scene(top):
        await top.press("n")
        await top.shows("o  ant", " epoch ")
        await top.press("n")
        await top.shows("train.loss")
        await top.press("x")
        await top.shows("seconds")
        await top.press("y")
        await top.until(lambda: top.app.panes.view.log)
        await top.press("p")
        await top.until(lambda: "train.loss" not in top.text)

    play(sweep, scene)


def test_details_are_those_of_runx_show(sweep):
    async def scene(top):
        await top.press("3")
        await top.shows("hparams", "lr", "state     done, 0:09")

    play(sweep, scene)


def test_the_load_of_this_machine_and_of_runs_is_shown(sweep, tmp_path, monkeypatch):
    smi = tmp_path / "bin" / "nvidia-smi"
    smi.parent.mkdir()
    smi.write_text("#!/bin/sh\necho '0, GPU-aa, 2048'\n")
    smi.chmod(0o755)
    monkeypatch.setenv("PATH", str(smi.parent), prepend=os.pathsep)
    load = [{"cpu": 50.0, "gpu0": 10 * at, "gpu0_mb": 2000} for at in range(9)]
    rows = [encode("system", row, None, 30.0 * at) for at, row in enumerate(load)]
    (sweep / "sweep" / "ant" / "system.csv").write_text("".join(rows))

    async def scene(top):
        await top.press("4")
        await top.shows("GPU 0    2,048 MiB in use", "gpu0 ", "80  ▁▂▃▄▅▅▆▇█")

    play(sweep, scene)


def test_images_that_a_run_has_logged_are_drawn(sweep):
    image = pytest.importorskip("PIL.Image")
    folder = sweep / "sweep" / "ant" / "artifacts"
    folder.mkdir()
    image.new("RGB", (300, 200), (255, 0, 0)).save(folder / "red.png")
    (folder / "torn.png").write_bytes(b"\x89PNG\r\n\x1a\n torn")

    async def scene(top):
        await top.press("5", "enter")
        await top.shows("red.png", "▀▀▀▀▀▀▀▀")
        await top.press("tab", "tab", "G")
        await top.shows("torn.png", "can't be shown")

    play(sweep, scene)


def test_the_pane_alone_fills_the_screen_and_scrolls(sweep):
    output = "".join(f"line {at}\n" for at in range(100))
    (sweep / "sweep" / "ant" / "output.log").write_text(output)

    async def scene(top):
        await top.press("enter")
        await top.shows("line 99", "line 80")
        await top.press("g")
        await top.shows("line 0")
        await top.press("j", "j")
        await top.until(lambda: top.lines[2].startswith("line 2 "))
        await top.press("escape")
        await top.until(lambda: top.lines[2].split()[:1] == ["ant"])

    play(sweep, scene)


def test_output_is_followed_unless_it_was_scrolled_up(sweep):
    output = sweep / "sweep" / "ant" / "output.log"

    def add(*lines):
        with output.open("a") as file:
            file.writelines(f"{line}\n" for line in lines)

    async def scene(top):
        await top.shows("ant ends")
        add(*range(50), "the last")
        await top.shows("the last")
        await top.press("tab", "g")
        add("unseen")
        await top.until(lambda: "unseen" in top.app.beside.text)
        assert "unseen" not in top.text
        await top.press("G")
        await top.shows("unseen")

    play(sweep, scene)


def test_a_screen_that_is_resized_is_laid_out_anew(sweep):
    async def scene(top):
        await top.pilot.resize_terminal(160, 40)
        await top.until(lambda: "1 output" in top.lines[1])  # beside the table
        await top.shows("ant begins")
        await top.pilot.resize_terminal(20, 6)
        await top.until(lambda: len(top.lines) == 6)
        await top.pilot.resize_terminal(2, 1)
        await top.press("j", "2", "enter", "question_mark", "a", "slash", "escape")
        await top.pilot.resize_terminal(80, 24)
        await top.press("escape", "1")
        await top.shows("bee begins")

    play(sweep, scene)


def test_without_runs_that_is_said_and_no_key_does_harm(tmp_path):
    (tmp_path / "empty").mkdir()

    async def scene(top):
        assert top.lines[0] == "empty: 0 runs"
        for key in "jkGmu123456[]nxySchrto?a":
            await top.press({"[": "left_square_bracket", "]": "right_square_bracket"}.get(key, key))
            await top.press("escape")
        await top.press("slash")
        await top.type("lr < 1")
        make_run(tmp_path / "empty" / "first", {"lr": 0.5})
        await top.until(lambda: top.rows() == ["first"])

    play(tmp_path, scene, "empty")


def test_all_experiments_are_shown_and_new_ones_found(sweep, monkeypatch):
    monkeypatch.setattr("runx.tui.live.FIND_EVERY", 0.1)
    make_run(sweep / "other" / "elk", {"lr": 1})

    async def scene(top):
        assert top.lines[0].startswith("2 experiments: 5 runs: 5 done")
        assert "experiment" in top.lines[1]
        make_run(sweep / "third" / "fox", {"lr": 1})
        await top.until(lambda: "fox" in top.rows())
        shutil.rmtree(sweep / "other")
        await top.until(lambda: "elk" not in top.rows())

    play(sweep, scene)


def test_an_experiment_that_vanishes_is_said_and_comes_back(sweep, monkeypatch):
    monkeypatch.setattr("runx.tui.live.FIND_EVERY", 0.1)

    async def scene(top):
        (sweep / "sweep").rename(sweep.parent / f"{sweep.name}-gone")
        await top.until(lambda: top.rows() == [])
        await top.until(lambda: "no experiment sweep" in top.console)
        (sweep.parent / f"{sweep.name}-gone").rename(sweep / "sweep")
        await top.until(lambda: len(top.rows()) == 4)
        assert top.console.count("no experiment sweep") == 1

    play(sweep, scene, "sweep")


def test_damaged_runs_cost_a_warning_each_and_the_others_are_shown(sweep):
    (sweep / "sweep" / "ant" / "hparams.json").write_text("{")
    (sweep / "sweep" / "ant" / "run.json").write_text("[")
    (sweep / "sweep" / "ant" / "metrics.csv").unlink()
    (sweep / "sweep" / "bee" / "metrics.csv").write_text("val,acc\nval,acc,0.5,epoch,0\n")
    (sweep / "sweep" / "cat" / "attempts" / "1.events.jsonl").write_text("\0\0{{{")
    (sweep / "sweep" / "dog" / "output.log").unlink()
    (sweep / "sweep" / "dog" / "output.log").mkdir()

    async def scene(top):
        assert top.rows() == ["bee", "cat", "dog"]
        for pane in "123456":
            await top.press(pane, "G")
            await top.pilot.pause(0.2)

    warnings = play(sweep, scene)
    assert "ant: left out" in "\n".join(warnings)


def test_a_state_that_changes_and_a_new_run_are_seen(sweep):
    async def scene(top):
        run = sweep / "sweep" / "ant"
        ended = json.dumps({"event": "ended", "time": 9, "code": 3})
        (run / "attempts" / "1.events.jsonl").write_text(
            f'{{"event":"started","time":0}}\n{ended}\n'
        )
        (run / "attempts" / "new").touch()
        await top.until(lambda: top.lines[0] == "sweep: 4 runs: 3 done, 1 failed")
        make_run(sweep / "sweep" / "ape", {"lr": 3})
        await top.until(lambda: top.rows() == ["ant", "ape", "bee", "cat", "dog"])

    play(sweep, scene)


def test_the_cursor_and_marks_stay_with_their_runs(sweep):
    async def scene(top):
        await top.press("j", "m")
        assert top.app.table.selected.name == "cat"
        make_run(sweep / "sweep" / "aaa", {"lr": 3})
        await top.until(lambda: len(top.rows()) == 5)
        assert top.app.table.selected.name == "cat"
        assert [record.name for record in top.app.table.chosen] == ["bee"]
        shutil.rmtree(sweep / "sweep" / "bee")
        shutil.rmtree(sweep / "sweep" / "cat")
        await top.until(lambda: len(top.rows()) == 3)
        assert not top.app.table.marks
        assert top.app.table.selected

    play(sweep, scene)


def test_nothing_that_runs_are_called_or_print_is_obeyed(tmp_path):
    name = "[red]x\x1b[2J\x07\nüñ日本\udcff"
    folder = make_run(tmp_path / "sw\x1beep[b]" / name, {"[b]a\x1b": "[blink]\x1b]0;t\x07"}, [1, 2])
    output = b"\x1b[2J\x1b]0;title\x07[bold]x[/nope]\x1bP\x00\x9b\xff\r\nok \x1b[31mred\x1b[0m\n"
    (folder / "output.log").write_bytes(output)

    async def scene(top):
        for pane in "123456":
            await top.press(pane)
            await top.until(lambda: top.app._shown[0] == top.app.pane)
            assert "\x1b" not in top.text
            assert "\x07" not in top.text
        await top.press("1")
        await top.shows("ok red")
        await top.press("c")
        await top.shows("cancel [red]x\\x1b[2J\\x07\\nüñ日本\\xff?")
        await top.press("n")

    play(tmp_path, scene)


def test_a_name_of_no_experiment_is_refused_before_anything_is_shown(sweep):
    with pytest.raises(RunxError, match="no experiment swep"):
        play(sweep, None, "swep")
    with pytest.raises(RunxError, match=r"LOGROOT .* isn't there"):
        play(sweep / "gone", None)


def test_a_thousand_runs_scroll_filter_and_sort(tmp_path):
    projects.results(tmp_path, 1_000, 2)

    async def scene(top):
        assert top.lines[0] == "sweep: 1000 runs: 1000 done"
        await top.press("G")
        await top.shows("brave-000999")
        await top.press("pageup", "k", "m")
        await top.press("g")
        await top.until(lambda: top.app.table.selected.name.startswith("brave-000000"))
        await top.press("slash")
        await top.type("lr > 0.9")
        await top.until(lambda: len(top.rows()) == 100)
        await top.press("s")
        await top.type("acc,lr")
        await top.until(lambda: "by acc, lr" in top.lines[0])

    play(tmp_path, scene, "sweep")

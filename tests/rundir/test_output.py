import pytest
from hypothesis import given
from hypothesis import strategies as st

from runx.rundir.output import Follower, output_of, start_of_last, tail
from runx.rundir.paths import RunDir


def test_a_log_that_is_not_there_yet_is_empty(tmp_path):
    nowhere = tmp_path / "output.log"
    assert tail(nowhere) == ""
    assert start_of_last(nowhere, 3) == 0
    assert Follower(nowhere).new_lines(last=True) == []


def test_only_the_end_of_a_huge_log_is_read(tmp_path):
    log = tmp_path / "output.log"
    log.write_text("x" * 1000 + "\nend\n")
    assert tail(log, 5) == "\nend\n"


@given(st.lists(st.text("ab", max_size=3), max_size=8), st.booleans(), st.integers(0, 9))
def test_the_last_lines_of_a_log_are_found_from_its_end(tmp_path_factory, lines, ended, number):
    log = tmp_path_factory.mktemp("log") / "output.log"
    content = "\n".join(lines) + ("\n" if ended and lines else "")
    log.write_text(content)
    wanted = content.splitlines()[-number:] if number else []
    if content.endswith("\n\n") or not content.strip("\n"):
        wanted = content.split("\n")[:-1][-number:] if number else []
    assert log.read_text()[start_of_last(log, number) :].split("\n")[: len(wanted)] == wanted


def test_blocks_do_not_matter_to_where_the_last_lines_begin(tmp_path):
    log = tmp_path / "output.log"
    log.write_text("first\n" + "y" * 200_000 + "\nlast\n")
    assert log.read_text()[start_of_last(log, 1) :] == "last\n"
    assert log.read_text()[start_of_last(log, 2) :].startswith("yyy")
    assert start_of_last(log, 3) == 0


def test_a_line_is_given_once_it_is_whole(tmp_path):
    log = tmp_path / "output.log"
    follower = Follower(log)
    log.write_bytes(b"one\ntw")
    assert follower.new_lines() == ["one"]
    with log.open("ab") as more:
        more.write(b"o\nthree")
    assert follower.new_lines() == ["two"]
    assert follower.new_lines() == []
    assert follower.new_lines(last=True) == ["three"]
    assert follower.new_lines(last=True) == []


@pytest.mark.parametrize("begun", ["", "torn", "[]\n", '{"event":"started","output_from":"x"}\n'])
def test_all_output_is_of_an_attempt_whose_beginning_is_not_recorded(tmp_path, begun):
    run = RunDir(tmp_path)
    run.attempts.mkdir()
    run.output.write_text("all\n")
    run.events(1).write_text(begun)
    assert [output_of(run, attempt) for attempt in (None, 1, 2)] == ["all\n"] * 3

"""Which line of an output says why a script failed.

outputs/ has what tools printed (torch 2.13, Hydra 1.3, tyro 1.0, typer 0.29, click 8.5, absl 2.5,
fire 0.7, jsonargparse 4.53, Lightning 2.6, transformers 5.24, accelerate 1.15, pytest 9.2, rich 15,
bash, dash, node 20, Java 17, Perl, C and C++); as_* is written down after what tools print that
weren't at hand. causes.tsv has the line for each; after "=" is the last line, where none says it.
"""

from pathlib import Path

import pytest

from runx.analysis.causes import cause_of, last_words
from runx.analysis.failures import Failure, digest
from runx.rundir.paths import RunDir
from runx.rundir.run import RunRecord
from runx.rundir.state import State

OUTPUTS = Path(__file__).parent / "outputs"
CAUSES = dict(line.split("\t") for line in (OUTPUTS / "causes.tsv").read_text().splitlines())


def output(name):
    return (OUTPUTS / f"{name}.log").read_bytes().decode()


def told(text):
    return str(cause_of(text) or f"= {last_words(text)}")


@pytest.mark.parametrize("name", CAUSES)
def test_the_line_that_says_what_went_wrong_is_found(name):
    assert told(output(name)) == CAUSES[name]


def test_each_output_has_its_line():
    assert {file.stem for file in OUTPUTS.glob("*.log")} == CAUSES.keys()


@pytest.mark.parametrize("name", CAUSES)
def test_colours_and_line_ends_change_nothing(name):
    plain = output(name).replace("\r\n", "\n")
    coloured = "".join(f"\x1b[31m{line}\x1b[0m\r\n" for line in plain.split("\n"))
    assert told(coloured) == told(plain)


def failed(name, text):
    run = RunDir(Path("/logs/sweep") / name)
    return Failure(RunRecord(name, run, {}, State("failed", "exit status 1"), {}), text)


def groups(*names):
    return digest([failed(name, output(name)) for name in names], [])


def test_two_reasons_under_one_launcher_are_two_groups():
    reasons = [group.reason.partition(":")[0] for group in groups("torchrun_oom", "torchrun_nan")]
    assert reasons == ["ValueError", "torch.OutOfMemoryError"]


def test_one_reason_under_several_launchers_is_one_group():
    names = ("torchrun_nan", "torchrun_record", "accelerate_one")
    assert [len(group.results) for group in groups(*names)] == [3]
    assert len(groups("torchrun_oom", "accelerate_two")) == 1


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("RuntimeError: <f at 0x7f376> gave 1e-3", "RuntimeError: <f at 0x55> gave 12.5"),
        ("OSError: /tmp/tmpab3_x9_q/x.bin is gone", "OSError: /tmp/tmpzz8wq0aa/x.bin is gone"),
        ("KeyError: 'run-3fa8c1d9e0'", "KeyError: 'run-77aa00bb1c'"),
        (f"ValueError: {'x' * 150} 1 yy", f"ValueError: {'x' * 150} 12345678 yy"),
        ("./t.sh: line 3: 41 Killed ./x", "./t.sh: line 3: 8123 Killed ./x"),
    ],
)
def test_numbers_addresses_and_random_names_make_no_group(one, other):
    assert len(digest([failed("a", f"{one}\n"), failed("b", f"{other}\n")], [])) == 1


def test_one_error_of_two_origins_is_two_groups():
    chain = output("py_chain_from")
    other = chain.replace(
        "FileNotFoundError: [Errno 2] No such file", "OSError: [Errno 28] No space"
    )
    assert len(digest([failed("a", chain), failed("b", other)], [])) == 2


@pytest.mark.parametrize("prefix", ["", "[rank1]: "])
def test_what_followed_counts_where_nothing_else_is_said(prefix):
    nccl = "torch.distributed.DistBackendError: NCCL error in: x.cpp:1970, unhandled cuda error"
    text = output("torchrun_nan").replace("ValueError: loss is nan at step 17", nccl)
    own, _, report = text.partition("W1128")
    marked = "\n".join(f"{prefix}{line}" for line in own.splitlines())
    assert told(f"{marked}\nW1128{report}") == nccl
    assert told(
        output("torchrun_nan").replace("ValueError: loss is nan at step 17\n", f"{nccl}\n", 1)
    ) == ("ValueError: loss is nan at step 17")


@pytest.mark.parametrize("blank", ["", "\n", "\n\n\n"])
@pytest.mark.parametrize("prefix", ["", "[rank1]: "])
def test_a_message_that_begins_with_blank_lines_is_told(blank, prefix):
    text = (
        f"Traceback (most recent call last):\n  File 'a'\nRuntimeError: \n{blank}no kernel image\n"
    )
    marked = "".join(f"{prefix}{line}".rstrip() + "\n" for line in text.split("\n")[:-1])
    assert told(marked) == "RuntimeError: no kernel image"


def test_a_message_of_nothing_but_blank_lines_takes_no_later_traceback():
    trace = "Traceback (most recent call last):\n  File 'a'\n{}\n"
    assert told(trace.format("RuntimeError: \n\n") + trace.format("OSError: x")) == "OSError: x"
    assert told(trace.format("RuntimeError:\n\n-----\nbye")) == "RuntimeError:"

"""How code differs between runs."""

from runx.report.codediff import MOST_LINES, code_diffs, code_tree, tree_diff
from runx.rundir.paths import ExperimentDir, RunDir


def tree(folder, **files):
    folder.mkdir()
    for name, content in files.items():
        (folder / f"{name}.py").write_bytes(
            content if isinstance(content, bytes) else content.encode()
        )
    return folder


def test_files_that_are_no_text_are_only_named(tmp_path):
    old, new = tree(tmp_path / "a", x=b"\0\1"), tree(tmp_path / "b", x=b"\0\2")
    assert tree_diff(old, new) == "x.py: differs; it is too large, or no text"


def test_a_huge_difference_is_cut_off(tmp_path):
    old = tree(tmp_path / "a", x="")
    new = tree(tmp_path / "b", x="line\n" * 3 * MOST_LINES)
    assert tree_diff(old, new).count("\n") <= MOST_LINES
    assert tree_diff(old, new).endswith("there is more")


def test_changed_added_and_removed_files_are_shown(tmp_path):
    old = tree(tmp_path / "a", same="x\n", changed="a\nb\n", removed="r\n")
    new = tree(tmp_path / "b", same="x\n", changed="a\nc\n", added="n\n")
    lines = tree_diff(old, new).splitlines()
    assert {"-b", "+c", "+n", "-r", "--- /dev/null", "+++ /dev/null"} <= set(lines)
    assert not any("same" in line for line in lines)


def test_an_empty_file_that_was_added_is_no_difference_in_lines(tmp_path):
    assert tree_diff(tree(tmp_path / "a"), tree(tmp_path / "b", x="")) == ""


def test_few_codes_are_compared_each_with_each_and_more_with_the_best_alone(tmp_path):
    trees = {name: tree(tmp_path / name, x=name) for name in "abcdef"}
    few = {name: trees[name] for name in "ab"}
    assert sorted(code_diffs(few, "a")) == ["a..b", "b..a"]
    assert sorted(code_diffs(trees, "c")) == ["c..a", "c..b", "c..d", "c..e", "c..f"]
    assert code_diffs(trees, None) == {}


def test_code_is_found_frozen_or_as_the_run_has_it(tmp_path):
    experiment, run = ExperimentDir(tmp_path), RunDir(tmp_path / "run")
    assert code_tree(experiment, run, "c0ffee") is None
    run.code.mkdir(parents=True)
    assert code_tree(experiment, run, "c0ffee") == run.code
    frozen = experiment.code / "c0ffee" / "tree"
    frozen.mkdir(parents=True)
    assert code_tree(experiment, run, "c0ffee") == frozen

import json

import pytest

from runx.readers import huggingface
from runx.readers.jsonlog import read_lines, read_results, recognise_lines, recognise_results


def lines(path, *objects):
    path.write_text(
        "".join(f"{each if isinstance(each, str) else json.dumps(each)}\n" for each in objects)
    )
    assert recognise_lines(str(path))
    return [(row.phase, row.epoch, row.values) for row in read_lines(str(path), pytest.fail)]


def results(path, content):
    path.write_text(json.dumps(content))
    assert recognise_results(str(path))
    return [(row.phase, row.epoch, row.values) for row in read_results(str(path), pytest.fail)]


def test_a_log_of_json_lines_is_read(tmp_path):
    found = lines(tmp_path / "log.txt", {"epoch": 0, "train_loss": 2, "test_acc1": 0.5})
    assert found == [("train", 0, {"loss": 2}), ("test", 0, {"acc1": 0.5})]


def test_nested_objects_name_phases(tmp_path):
    found = lines(tmp_path / "a.jsonl", {"config": {}}, {"step": 5, "val": {"acc": 1}}, "torn {")
    assert found == [("val", 5, {"acc": 1})]


def test_lines_without_a_counter_are_numbered_if_their_file_is_called_so(tmp_path):
    found = lines(tmp_path / "metrics.json", {"acc": 0.1}, {"acc": 0.2})
    assert found == [("", 1, {"acc": 0.1}), ("", 2, {"acc": 0.2})]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("x.jsonl", '{"id": 1, "text": "a"}\n{"id": 2, "text": "b"}\n'),
        ("notes.txt", "epoch 1\n"),
        ("config.json", '{"epoch": 3}'),
        ("x.jsonl", ""),
        ("x.log", "{'epoch': 1}\n"),
    ],
)
def test_data_configurations_and_notes_are_no_metrics(tmp_path, name, text):
    (tmp_path / name).write_text(text)
    assert not recognise_lines(str(tmp_path / name))


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ({"acc": 0.5, "name": "x", "ok": True}, [("", None, {"acc": 0.5})]),
        (
            {"val": {"acc": 0.5}, "test": {"acc": 0.4}},
            [("val", None, {"acc": 0.5}), ("test", None, {"acc": 0.4})],
        ),
        ({"epoch": 3, "eval_acc": 0.5}, [("val", 3, {"acc": 0.5})]),
        (
            {"loss": [2, 1], "val_loss": [4, 3]},
            [
                ("train", 1, {"loss": 2}),
                ("val", 1, {"loss": 4}),
                ("train", 2, {"loss": 1}),
                ("val", 2, {"loss": 3}),
            ],
        ),
        (
            [{"epoch": 1, "acc": 1}, {"epoch": 2, "acc": 2}],
            [("", 1, {"acc": 1}), ("", 2, {"acc": 2})],
        ),
        ({str(n): n for n in range(2000)}, []),
        ("text", []),
        ([1, 2], []),
    ],
)
def test_results_are_numbers_histories_or_lists_of_rows(tmp_path, content, expected):
    assert results(tmp_path / "results.json", content) == expected


@pytest.mark.parametrize(
    "name", ["config.json", "args.json", "vocab.json", "model.json", "results.txt"]
)
def test_other_json_is_no_result(tmp_path, name):
    (tmp_path / name).write_text('{"acc": 1}')
    assert not recognise_results(str(tmp_path / name))


@pytest.mark.parametrize("text", ["", "{", "[" * 100_000, '{"a": NaN', "\0\0"])
def test_half_written_results_are_none(tmp_path, text):
    (tmp_path / "results.json").write_text(text)
    assert read_results(str(tmp_path / "results.json"), pytest.fail) == []


def test_a_trainers_state_tells_training_from_evaluation(tmp_path):
    history = [
        {"epoch": 0.5, "step": 5, "loss": 2.0, "learning_rate": 0.1},
        {"epoch": 1.0, "step": 10, "eval_loss": 1.5, "eval_accuracy": 0.5, "eval_runtime": 3},
        {"epoch": 1.0, "step": 10, "train_loss": 1.9, "train_runtime": 9, "total_flos": 0.0},
    ]
    file = tmp_path / "trainer_state.json"
    file.write_text(json.dumps({"log_history": history}))
    assert huggingface.recognise(str(file))
    assert [
        (row.phase, row.epoch, row.values) for row in huggingface.read(str(file), pytest.fail)
    ] == [
        ("train", 0.5, {"loss": 2.0, "learning_rate": 0.1}),
        ("val", 1, {"loss": 1.5, "accuracy": 0.5}),
        ("train", 1, {"mean_loss": 1.9}),
    ]


@pytest.mark.parametrize("text", ["", "{}", '{"log_history": 3}', "[]"])
def test_a_damaged_state_costs_a_warning(tmp_path, text):
    file = tmp_path / "trainer_state.json"
    file.write_text(text)
    warnings = []
    assert huggingface.read(str(file), warnings.append) == []
    assert warnings[0].startswith(f"{file}: left out: ")

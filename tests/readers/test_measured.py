from runx.analysis.reduce import Measure, tally
from runx.readers.base import FileReader, Row
from runx.readers.files import FoundFile
from runx.readers.measured import Source, combined, read_files


def source(kind, *rows, prefix="", file="log"):
    return Source(kind, [Row(phase, at, values, file=file) for phase, at, values in rows], prefix)


def test_of_a_metric_that_several_kinds_of_files_have_the_first_counts():
    found = combined(
        [
            source("CSV", ("val", 1, {"acc": 1}), file="a.csv"),
            source("TensorBoard", ("val", 9, {"acc": 2, "loss": 3}), file="events"),
        ]
    )
    assert found.sources == {"acc": "a.csv", "loss": "events"}
    assert tally(found.content("val"), names=found.names("val"))[:2] == ({"loss": 3, "acc": 1}, 1)


def test_two_files_of_one_kind_that_differ_both_count():
    found = combined(
        [
            source("TensorBoard", ("val", 1, {"loss": 1}), file="g", prefix="generator/"),
            source("TensorBoard", ("val", 1, {"loss": 2}), file="d", prefix="discriminator/"),
        ]
    )
    assert found.sources == {"loss": "g", "discriminator/loss": "d"}


def test_results_of_a_later_epoch_go_on_with_a_log():
    found = combined(
        [
            source("trainer_state.json", ("val", 0, {"acc": 1}), ("val", 1, {"acc": 2})),
            source("JSON", ("val", 2, {"acc": 3}), file="results.json"),
            source("JSON", ("val", 2, {"acc": 3}), file="all_results.json", prefix="all/"),
        ]
    )
    measured = tally(found.content("val"), [Measure("n", "acc", "mean")], names=["acc"])
    assert (measured.metrics, measured.epoch, measured.measured) == ({"acc": 3}, 2, {"n": 2})


def test_metrics_that_are_written_at_other_steps_all_have_their_last_value():
    found = combined(
        [
            source(
                "TensorBoard", *[("val", at, {"lr": at}) for at in range(9)], ("val", 3, {"acc": 5})
            )
        ]
    )
    assert tally(found.content("val"), names=found.names("val")).metrics == {"lr": 8, "acc": 5}
    early = tally(found.content("val"), names=found.names("val"), at=2)
    assert (early.metrics, early.epoch) == ({"lr": 2}, 2)


def files(tmp_path, **texts):
    """Return files whose rows are numbers with commas between, a row for each epoch."""

    def read(path, warn):
        with open(path) as file:
            for at, text in enumerate(file.read().split(",")):
                yield Row("", at, {"acc": float(text)})

    reader = FileReader("x", lambda path: True, read)
    for at, (name, (text, hint)) in enumerate(texts.items()):
        (tmp_path / name).write_text(text)
        yield FoundFile(name, reader, at, hint)


def test_files_of_several_attempts_are_one_source_and_the_last_attempt_counts(tmp_path):
    found = combined(
        read_files(str(tmp_path), files(tmp_path, v0=("1,9,9", ""), v1=("2,3", "")), print)
    )
    measured = tally(found.content("val"), [Measure("best", "acc", "max")], names=["acc"])
    assert (measured.metrics, measured.measured) == ({"acc": 3}, {"best": 3})


def test_names_of_files_tell_phases_apart(tmp_path):
    named = files(tmp_path, train=("1", "train"), valid=("2", "val"))
    assert combined(read_files(str(tmp_path), named, print)).sources == {
        "train.acc": "train",
        "acc": "valid",
    }


def test_a_file_that_is_called_train_alone_says_nothing(tmp_path):
    named = files(tmp_path, train=("1", "train"))
    assert combined(read_files(str(tmp_path), named, print)).sources == {"acc": "train"}


def test_tests_stand_for_validation_where_there_is_none():
    found = combined([source("CSV", ("train", 1, {"loss": 1}), ("test", 1, {"acc": 5}))])
    assert tally(found.content("val"), names=found.names("val")).metrics == {"acc": 5}

import pytest
from project import Project


@pytest.fixture
def project(tmp_path, installed):
    return Project(tmp_path, installed)


@pytest.mark.parametrize(
    ("metrics", "said"),
    [
        ("{acc: x}", "METRICS.acc: 'x' needs one group around the number"),
        ("{acc: '(a'}", "METRICS.acc: '(a' is no pattern: "),
        ("{acc: '(a)(b)'}", "METRICS.acc: '(a)(b)' has several groups"),
        ("{acc: '(a+)+'}", "METRICS.acc: '(a+)+' may take for ever"),
        ("{epoch: 'x'}", "METRICS.epoch: 'x' needs one group"),
        ("{epoch: {file: a, key: b}}", "METRICS.epoch: is a pattern"),
        ("{acc: {key: a}}", "METRICS.acc: write a pattern, as "),
        ("{acc: {file: a, kee: b}}", "METRICS.acc: unknown key kee; did you mean key?"),
        ("{acc: {file: a, key: b, pattern: '(c)'}}", "METRICS.acc: has both a key and a pattern"),
        ("{acc: {file: ../a}}", "METRICS.acc.file: ../a lies outside of the run"),
        ("{acc: {file: /a}}", "METRICS.acc.file: /a lies outside of the run"),
        ("{acc: }", "METRICS.acc: write a pattern, as "),
        ("{acc: [a]}", "METRICS.acc: write a pattern, as "),
        ("3", "METRICS must be a mapping of metrics to patterns"),
    ],
)
def test_what_can_not_be_read_is_refused_when_checked(project, metrics, said):
    project.write("bad.yml", f"CMD: python train.py\nHPARAMS: {{a: 1}}\nMETRICS: {metrics}\n")
    done = project.runx("check", "bad.yml", status=2)
    assert f"bad.yml:3: {said}" in done.stderr


def test_metrics_hold_for_runs_that_are_done_once_they_are_set(project):
    def table():
        done = subprocess_sumx(project)
        return [line.split() for line in done.stdout.splitlines() if "0." in line], done.stderr

    project.write("train.py", "import sys; print('epoch 3'); print('val acc:', sys.argv[-1])\n")
    sweep = "CMD: python train.py\nHPARAMS: {lr: [0.1, 0.2]}\n"
    project.write("sweep.yml", sweep)
    project.runx("sweep.yml", "-i")
    rows, said = table()
    assert [row[2:] for row in rows] == [["done,", "no", "metrics"]] * 2
    assert "acc: 'val acc: ([0-9.eE+-]+)'} to the YAML, then runx FILE" in said
    project.write("sweep.yml", sweep + "METRICS: {epoch: 'epoch (.)', acc: 'val acc: (.*)'}\n")
    assert (
        "METRICS holds for all runs of sweep" in project.runx("sweep.yml", "-i", "--resume").stderr
    )
    rows, said = table()
    assert [row[1:] for row in rows] == [["0.2", "0.2", "3"], ["0.1", "0.1", "3"]]
    # A launch without METRICS leaves them; other ones replace them.
    project.write("sweep.yml", sweep)
    project.runx("sweep.yml", "-i", "--resume")
    assert table()[0] == rows
    project.write("sweep.yml", sweep + "METRICS: {acc: 'no such (.)'}\n")
    project.runx("sweep.yml", "-i", "--resume")
    rows, said = table()
    assert [row[2:] for row in rows] == [["done,", "no", "metrics"]] * 2
    assert "METRICS: acc is in no run: 'no such (.)' fits no line of output.log" in said


def test_looking_records_nothing(project):
    project.write("sweep.yml", "CMD: python train.py\nHPARAMS: {a: 1}\nMETRICS: {acc: '(.)'}\n")
    project.runx("sweep.yml", "-n")
    project.runx("check", "sweep.yml")
    assert not (project.path / "runs").exists()


def subprocess_sumx(project):
    import subprocess

    return subprocess.run(
        ["sumx", "sweep"],
        cwd=project.path,
        env=project.environment,
        capture_output=True,
        text=True,
        check=True,
    )

"""A notebook, run by a real kernel: a table that follows the runs, pictures, docs/python.ipynb."""

import pytest
from notebooks import NOTEBOOK, PAGE, notebook

nbclient = pytest.importorskip("nbclient")
nbformat = pytest.importorskip("nbformat")

TRAIN = """\
import sys, time
from runx.logx import logx
logx.initialize()
lr = float(sys.argv[sys.argv.index("--lr") + 1])
for epoch in range(3):
    time.sleep(0.4)
    logx.metric("val", {"loss": lr / (epoch + 1)}, epoch)
"""
SWEEP = "CMD: python train.py\nHPARAMS: {lr: [0.1, 0.2, 0.3]}\n"


@pytest.fixture
def run(tmp_path, installed, monkeypatch):
    """A function that runs cells in a kernel and returns them with their outputs."""
    (tmp_path / "train.py").write_text(TRAIN)
    (tmp_path / "sweep.yml").write_text(SWEEP)
    for name in ("PATH", "PYTHONPATH", "HOME", "XDG_CONFIG_HOME"):
        monkeypatch.setenv(name, installed[name])
    monkeypatch.delenv("RUNX_SEED", raising=False)

    def execute(book):
        if isinstance(book, str):
            cells = map(nbformat.v4.new_code_cell, book.split("\n\n"))
            book = nbformat.v4.new_notebook(cells=list(cells))
        resources = {"metadata": {"path": str(tmp_path)}}
        options = {"timeout": 120, "kernel_name": "python3", "resources": resources}
        nbclient.NotebookClient(book, **options).execute()
        return [cell for cell in book.cells if cell.cell_type == "code"]

    return execute


def displayed(cell, kind="text/plain"):
    return [output.data[kind] for output in cell.outputs if kind in output.get("data", {})]


def printed(cell):
    return "".join(output.text for output in cell.outputs if output.get("name") == "stdout")


LIVE = """\
import runx
going = runx.launch(runx.load("sweep.yml").plan(), wait=False)
first = going.progress()
going

print(first)
print(going.wait(60).counts(), going.ended)

import time
going._shown.join(30)
time.sleep(0.5)"""


def test_a_table_follows_the_runs_while_other_cells_are_worked_in(run):
    cells = run(LIVE)
    first, last = printed(cells[1]).splitlines()
    assert first.startswith("0/3 done") and "2 queued" in first
    assert last == "3 done True"
    [table] = displayed(cells[0])
    assert table.rstrip().endswith("3/3 done")
    [html] = displayed(cells[0], "text/html")
    assert "<p>3/3 done</p><table" in html
    assert displayed(cells[1]) == []  # The table of the first cell is enough.


WAITING = """\
import runx
done = runx.launch(runx.load("sweep.yml").plan(), jobs=3, wait=False).wait()

done"""


def test_to_wait_shows_a_table_too(run):
    cells = run(WAITING)
    assert displayed(cells[0])[0].rstrip().endswith("3/3 done")
    assert "<table" in displayed(cells[1], "text/html")[0]


REMOVED = """\
import runx, shutil, time
going = runx.launch(runx.load("sweep.yml").plan(), jobs=3, wait=False)
going

runx.cancel("sweep")
shutil.rmtree("runs")
going._shown.join(30)
time.sleep(0.5)
print(going._shown.is_alive())"""


def test_runs_that_were_removed_meanwhile_end_the_table(run):
    assert printed(run(REMOVED)[1]).splitlines()[-1] == "False"


PICTURES = """\
import runx
runx.launch(runx.load("sweep.yml").plan(), jobs=3)
results = runx.results("sweep")

results.plot("loss")

results.parallel()

results.html()

results

results.best("loss")"""


def test_results_are_pictures_and_pages(run):
    cells = run(PICTURES)
    assert [displayed(cell, "image/svg+xml")[0][:5] for cell in cells[1:3]] == ["<?xml"] * 2
    assert displayed(cells[3], "text/html")[0].startswith("<iframe srcdoc=")
    assert "<table" in displayed(cells[4], "text/html")[0]
    assert ": done, lr=0.1, loss=" in displayed(cells[5])[0]


def test_the_page_on_python_and_its_notebook_hold_the_same_cells():
    is_same = NOTEBOOK.read_text() == notebook(PAGE.read_text())
    assert is_same, "python tests/support/notebooks.py writes it anew"


def test_the_notebook_of_the_page_runs(run, tmp_path):
    book = nbformat.read(NOTEBOOK, as_version=4)
    nbformat.validate(book)
    cells = run(book)
    texts = "".join(map(printed, cells))
    assert "['done', 'done']" in texts and "4 done" in texts

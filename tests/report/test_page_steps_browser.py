"""The steps of a sweep on the page, in a real browser, of a sweep that really ran."""

import pytest
from browsing import chromium, complaints, hosts_asked, run_command
from pages import Page

pytestmark = pytest.mark.browser

YAML = """
STEPS:
  data:  {CMD: "seq {size} > LOGDIR/data.txt", PER: [size]}
  train: {CMD: "python train.py {args}", AFTER: data}
  eval:  {CMD: "echo evaluated {lr} with {size}", AFTER: train}
  all:   {CMD: "ls {eval.dirs}", AFTER: {eval: ended}, PER: sweep}
HPARAMS:
  size: [10, 20]
  lr: [0.1, 0.2]
"""
TRAIN = """
import argparse
from runx.logx import logx

parser = argparse.ArgumentParser()
parser.add_argument("--lr", type=float)
parser.add_argument("--size", type=int)
args = parser.parse_args()
logx.initialize()
for epoch in range(3):
    logx.metric("val", {"loss": args.lr / (epoch + 1)}, epoch)
print("trained with", args.lr)
if args.lr > 0.15 and args.size > 15:
    raise SystemExit(3)
"""


@pytest.fixture(scope="module")
def sweep(installed, tmp_path_factory):
    folder = tmp_path_factory.mktemp("steps")
    (folder / "sweep.yml").write_text(YAML)
    (folder / "train.py").write_text(TRAIN)
    run_command("runx sweep.yml -i -j 2", folder, installed, fails=True)
    run_command("sumx sweep -s loss --html page.html", folder, installed)
    return folder


@pytest.fixture(scope="module", params=[1400, 390])
def browser(request):
    with chromium(request.param) as driver:
        yield driver


@pytest.fixture
def page(browser, sweep):
    yield Page(browser, sweep / "page.html")
    assert complaints(browser) == []
    assert hosts_asked(browser) == set()


def boxes(page):
    steps = page.all(".step-graph .step")
    return {
        step.get_attribute("data-step"): step.find_element("css selector", ".states").text
        for step in steps
    }


def test_the_graph_shows_what_is_after_what_and_how_many_stand_how(page):
    assert {name: " ".join(text.split()) for name, text in boxes(page).items()} == {
        "data": "2 done",
        "train": "3 done 1 failed",
        "eval": "3 done 1 blocked",
        "all": "1 done",
    }
    edges = {edge.get_attribute("data-edge") for edge in page.all(".edge")}
    assert edges == {"data train", "train eval", "eval all"}
    ended = page.one(".edge.is-ended")
    assert ended.get_attribute("data-edge") == "eval all"
    assert page.js("return document.documentElement.scrollWidth <= innerWidth")


def test_lines_run_from_one_step_to_the_next(page):
    lines = page.js(
        """
        const origin = document.querySelector('.edges').getBoundingClientRect();
        return [...document.querySelectorAll('.edge')].map((edge) => {
          const [from, to] = edge.dataset.edge.split(' ').map((name) =>
            document.querySelector(`.step[data-step="${name}"]`).getBoundingClientRect());
          const at = (length) => edge.getPointAtLength(length);
          const distance = (point, box) => Math.hypot(
            Math.max(box.left - origin.left - point.x, point.x - (box.right - origin.left), 0),
            Math.max(box.top - origin.top - point.y, point.y - (box.bottom - origin.top), 0));
          return [distance(at(0), from), distance(at(edge.getTotalLength()), to)];
        });
        """
    )
    assert len(lines) == 3
    assert max(end for line in lines for end in line) < 2


def test_a_click_on_a_state_keeps_the_runs_whose_step_is_in_it(page):
    page.click('.step[data-step="train"] [data-state="failed"]')
    assert len(page.rows()) == 1
    assert page.column("eval") == ["blocked"]
    assert "train: failed" in page.one(".chips").text
    page.click('.step[data-step="train"] [aria-pressed="true"]')
    assert len(page.rows()) == 4


def test_the_panel_shows_the_steps_of_a_run_with_their_logs(page):
    page.click('.step[data-step="eval"] [data-state="done"]')
    page.click(".runs tbody .name")
    rows = {
        row.get_attribute("data-step"): row.text.split()
        for row in page.all(".panel .steps tr[data-step]")
    }
    assert rows["data"][:3] == ["data", "shared", "done"]
    assert rows["train"][1] == "done"
    assert rows["train"][-2:] == ["data", "loss"]
    assert rows["eval"][-1] == "train"
    assert page.one(".panel .log").text.startswith("evaluated 0.")
    page.js("document.querySelector('.panel tr[data-step=train] button').click()")
    assert page.one(".panel .log").text.startswith("trained with 0.")
    assert page.one(".panel [aria-label=Command]").text.startswith("python train.py --size ")


def test_a_blocked_run_says_which_step_failed(page):
    page.click('.step[data-step="eval"] [data-state="blocked"]')
    page.click(".runs tbody .name")
    assert "train failed" in page.one(".panel .steps .why-of + tr + .why-of").text


def test_a_sweep_without_steps_has_no_graph(browser, sweep, installed):
    (sweep / "plain.yml").write_text("CMD: echo\nHPARAMS: {n: [1, 2]}\n")
    run_command("runx plain.yml -i && sumx plain --html plain.html", sweep, installed)
    page = Page(browser, sweep / "plain.html")
    assert not page.one(".step-graph").is_displayed()
    assert complaints(browser) == []

"""Axes, the narrow window and GPUs on the page, in a real browser."""

import json

import pytest
from browsing import chromium, complaints, run_command
from pages import Page
from run_folders import make_run, write_metrics

from runx.rundir.records import encode

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def folder(installed, tmp_path_factory):
    root = tmp_path_factory.mktemp("views")
    grid = [(lr, width, seed) for lr in (1, 2, 3) for width in (8, 16) for seed in (0, 1)]
    for nth, (lr, width, seed) in enumerate(grid):
        hparams = {"seed": seed, "width": width, "lr": lr}
        run = make_run(
            root / "sweep" / f"run-{nth:02}_2026.11.29_06.59", hparams, resources={"gpus": 2}
        )
        gaps = [10.0**-epoch for epoch in range(8)]
        best = 10.0 * lr + width / 8 + 0.01 * seed
        write_metrics(run, [{"gap": gap, "acc": best - gap} for gap in gaps])
        attempt = '{"event":"started","time":0}\n{"event":"ended","time":7200,"code":0}\n'
        (run / "attempts" / "1.events.jsonl").write_text(attempt)
        rows = [encode("system", {"gpu0": 0.0, "gpu1": 90.0}, None, 30.0 * at) for at in (1, 2)]
        (run / "system.csv").write_text("".join(rows))
    run_command("sumx ./sweep -s acc --html page.html", root, installed)
    return root


@pytest.fixture(scope="module")
def browser():
    with chromium() as driver:
        yield driver


@pytest.fixture
def page(browser, folder):
    yield Page(browser, folder / "page.html")
    assert complaints(browser) == []


def log_button(page, metric):
    return page.one(f'[data-metric="{metric}"] .toggle')


def test_values_that_spread_have_a_logarithmic_axis_until_it_is_switched_off(page):
    assert log_button(page, "gap").get_attribute("aria-pressed") == "true"
    assert log_button(page, "acc").get_attribute("aria-pressed") == "false"
    page.click('[data-metric="gap"] .toggle')
    assert log_button(page, "gap").get_attribute("aria-pressed") == "false"
    page.click('[data-metric="acc"] .toggle')
    assert log_button(page, "acc").get_attribute("aria-pressed") == "true"
    link = page.driver.current_url
    page.driver.get("about:blank")
    page.driver.get(link)
    page.until(lambda: page.all("tbody tr"))
    assert log_button(page, "gap").get_attribute("aria-pressed") == "false"


def test_the_heat_map_is_of_the_two_that_matter_most(page):
    data = json.loads(page.one("#data").get_attribute("textContent"))
    ranked = [each["name"] for each in data["importances"]["acc"]]
    assert ranked == ["lr", "width", "seed"]
    heads = page.js(
        """
        const card = document.querySelector('[data-figure=heatmap]').closest('.card');
        return [...card.querySelectorAll('select')].map((list) => list.value);
        """
    )
    assert heads == ["lr", "width"]


def test_gpu_hours_and_what_was_idle_of_them_are_shown(page):
    assert "48 GPU-hours" in page.one(".top .gpus").text
    page.js("document.querySelector('.chooser').open = true")
    for heading in ("GPU-hours", "GPU idle"):
        page.settle(
            lambda heading=heading: page.js(
                """
                [...document.querySelectorAll('.choices label')]
                  .find((one) => one.textContent === arguments[0]).querySelector('input').click();
                """,
                heading,
            )
        )
    assert set(page.column("GPU-hours")) == {"4"}
    assert set(page.column("GPU idle")) == {"50%"}
    page.click(".runs tbody .name")
    assert "4, idle 50% of the time" in page.one(".panel .facts").text


def test_in_a_narrow_window_metrics_come_first(folder):
    with chromium(390) as driver:
        page = Page(driver, folder / "page.html")
        headings = page.js(
            "return [...document.querySelectorAll('.runs thead th')].map((head) => head.innerText)"
        )
        names = [heading.split()[0] for heading in headings[1:]]
        assert names[:4] == ["run", "acc", "acc", "gap"]
        places = page.js(
            """
            const frame = document.querySelector('.table-card .frame').getBoundingClientRect();
            return [...document.querySelectorAll('.runs tbody tr:first-child > *')].slice(1, 4)
              .map((cell) => cell.getBoundingClientRect().right <= frame.right);
            """
        )
        assert places == [True, True, True]
        assert page.js("return document.documentElement.scrollWidth <= innerWidth")
        assert complaints(driver) == []

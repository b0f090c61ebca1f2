"""Searches on the page, in a real browser."""

import pytest
from browsing import chromium, complaints, hosts_asked
from pages import Page
from searched import make_search, make_trial, pruned, search_of, write_rung

from runx.analysis.question import Question
from runx.analysis.read import Reader, read_experiment
from runx.report.data import model
from runx.report.page import page as page_text
from runx.rundir.paths import ExperimentDir

pytestmark = pytest.mark.browser

OTHER = "main-other"


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    folder = tmp_path_factory.mktemp("searches") / "search"
    folder.mkdir()
    make_search(folder)
    make_trial(folder, 1, {"lr": 0.1}, [0.5], sampler="qmc", known=0)
    make_trial(folder, 2, {"lr": 0.2}, [0.3], known=1)
    make_trial(folder, 3, {"lr": 0.3}, [0.9], events=pruned(), known=2)
    make_trial(folder, 4, {"lr": 0.4}, code=1, known=3)
    write_rung(folder, 3, {"run-01": 0.5, "run-02": 0.3, "run-03": 0.9})
    goals = {"metrics": ("loss", "loss:max"), "goals": ("minimize", "maximize")}
    make_search(folder, search_of(OTHER, **goals))
    for number, losses in enumerate([[1, 2], [0.5, 1], [1.5, 1.8]], 5):
        make_trial(folder, number, {"lr": number / 10}, losses, name=OTHER)
    experiment = ExperimentDir(folder)
    records = list(read_experiment(experiment, Reader(warn=print)))
    file = folder.parent / "page.html"
    file.write_text(page_text(model([experiment], records, Question(), 9.0, print)))
    return file


@pytest.fixture(scope="module", params=[1400, 390])
def browser(request):
    with chromium(request.param) as driver:
        yield driver


@pytest.fixture
def page(browser, report):
    yield Page(browser, report)
    assert complaints(browser) == []
    assert hosts_asked(browser) == set()


def titles(page):
    heads = [head for head in page.all(".searches h3") if head.is_displayed()]
    return [head.text for head in heads]


def drawn(page, name):
    """Return how many pixels of a plot aren't empty."""
    return page.js(
        """
        const canvas = document.querySelector(`[data-dots=${arguments[0]}] .uplot canvas`);
        const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
        return data.filter((part, at) => at % 4 === 3 && part).length;
        """,
        name,
    )


def test_a_search_shows_its_best_over_time_origins_and_rungs(page):
    assert titles(page) == ["Search", "Best loss over time", "What points were asked from"]
    assert drawn(page, "best") > 300 and drawn(page, "asked") > 300
    text = page.one(".searches section").text
    assert "main-1a2b3c4d: 4 of 10 points told to tpe" in text
    assert "qmc" in page.one(".searches .legend").text
    row = page.one(".rungs tr[data-epoch='3']")
    assert row.text.split() == ["3", "3", "2", "1"]
    assert page.js("return document.documentElement.scrollWidth <= innerWidth")


def test_another_search_is_chosen_and_shows_its_front(page):
    def choose():
        page.one(f".searches option[value='{OTHER}']").click()

    page.settle(choose)
    assert titles(page) == [
        "Search",
        "Best loss over time",
        "What points were asked from",
        "loss:max over loss",
    ]
    assert drawn(page, "front") > 300
    assert not page.one(".rungs").is_displayed()
    assert f"of=%22{OTHER}%22" in page.js("return location.hash")


def test_a_point_under_the_pointer_is_told_and_a_click_opens_its_run(page):
    from selenium.webdriver import ActionChains

    area = page.one("[data-dots=asked] .u-over")
    page.js("arguments[0].scrollIntoView({ block: 'center' })", area)
    # The first point has the least number, and knew the fewest: it lies at the lower left.
    width, height = area.size["width"], area.size["height"]
    left, down = round(-width / 2 + width * 0.03), round(height / 2 - height * 0.05)
    ActionChains(page.driver).move_to_element_with_offset(area, left, down).perform()
    tip = page.until(lambda: page.one(".tip").text)
    assert tip.splitlines()[0] == "point 1, done"
    assert "asked from qmc, when 0 had ended" in tip
    page.settle(lambda: ActionChains(page.driver).click().perform())
    assert page.one(".panel h2").text == "run-01"

"""The report as people use it: in a real browser, on a sweep that really ran."""

import os
import time
from json import dumps, loads
from pathlib import Path
from urllib.parse import quote

import pytest
from browsing import chromium, complaints, hosts_asked, run_command, run_sweeps
from pages import Page

from runx.analysis.question import Question
from runx.analysis.read import Reader, read_experiment
from runx.analysis.table import chosen
from runx.rundir.paths import ExperimentDir

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def sweep(installed, tmp_path_factory):
    folder = run_sweeps(tmp_path_factory.mktemp("sweep"), installed)
    run_command("sumx digits -s accuracy --html digits.html", folder, installed)
    run_command("sumx wild -s accuracy --html wild.html", folder, installed)
    run_command("sumx ablated -s accuracy --html ablated.html", folder, installed)
    return folder


@pytest.fixture(scope="module")
def browser():
    with chromium() as driver:
        yield driver


@pytest.fixture
def page(browser, sweep):
    yield Page(browser, sweep / "digits.html")
    assert complaints(browser) == []
    assert hosts_asked(browser) == set()


@pytest.fixture
def wild(browser, sweep):
    yield Page(browser, sweep / "wild.html")
    assert complaints(browser) == []
    assert hosts_asked(browser) == set()


def test_a_wrong_filter_says_what_is_wrong_and_hides_nothing(page):
    page.type("lrr < 0.1")
    assert "lrr is unknown: did you mean lr?" in page.one(".error").text
    page.type("nothing < 0.1")
    assert "known are: accuracy, accuracy:best, " in page.one(".error").text
    page.type("lr <")
    assert "column 5" in page.one(".error").text
    page.type("lr = 0.1")
    assert "write `==` for `=`" in page.one(".error").text
    page.type("1 / (seed - seed) > 0")  # What is so of some runs alone stops nothing.
    assert "column 1: division by zero" in page.one(".error").text
    assert len(page.rows()) == 21
    page.type("")
    assert page.one(".error").text == ""


def test_markup_in_hyperparameters_and_tags_is_shown_as_text(wild):
    notes = wild.column("note")
    assert "<img src=x onerror=alert(1)>" in notes
    assert '"></script><script>document.title="taken"</script>' in notes
    assert "wild" in wild.driver.title
    assert wild.all(".runs img, .runs b, .runs script") == []
    wild.click(".runs tbody .name")
    wild.until(lambda: wild.one(".panel").is_displayed())
    assert wild.all(".panel b, .panel td img, .panel script") == []


def test_a_heading_sorts_best_first_then_the_other_way(page):
    page.click('[data-column="m:loss"]')
    losses = [float(cell) for cell in page.column("loss")]
    assert losses == sorted(losses)
    page.click('[data-column="m:loss"]')
    assert [float(cell) for cell in page.column("loss")] == losses[::-1]


def test_sorting_orders_numbers_by_their_size_and_keeps_what_has_none_last(page):
    page.click('[data-column="h:lr"]')
    assert [float(cell) for cell in page.column("lr")] == sorted(map(float, page.column("lr")))
    page.click('[data-column="h:lr"]')
    rates = [float(cell) for cell in page.column("lr")]
    assert rates == sorted(rates, reverse=True)
    assert page.one('th[aria-sort="descending"]').text.startswith("lr")


def test_the_best_run_comes_first_and_is_marked(page):
    bests = [float(cell) for cell in page.column("accuracy best") if cell]
    assert bests == sorted(bests, reverse=True)
    marked = page.one(".runs tbody tr:first-child td.is-best")
    assert float(marked.text.split()[0]) == bests[0]


def test_a_failed_run_is_shown_as_such(page):
    states = page.column("state")
    failed = page.all(".runs .state-failed")
    assert len(failed) == 1
    assert "exit status 1" in failed[0].get_attribute("title")
    assert len(states) == 21
    assert "1 failed" in page.one(".states").text


def test_the_run_of_other_code_is_marked_with_the_files(page):
    [mark] = page.all(".runs .other-code")
    assert mark.text == "other code"
    assert mark.get_attribute("title").endswith("that of most runs: train.py")
    page.type("lr == 0.05")
    assert len(page.rows()) == len(page.all(".runs .other-code")) == 1


def test_the_differences_of_an_ablation_are_pythons(browser, sweep, installed):
    page = Page(browser, sweep / "ablated.html")
    printed = loads(run_command("sumx ablated --ablation accuracy:best --json", sweep, installed))
    assert [row["change"] for row in printed] == ["baseline", "optimizer=adam"]
    rows = [
        [cell.get_attribute("textContent") for cell in row.find_elements("css selector", "th, td")]
        for row in page.all(".ablation tbody tr")
    ]
    assert [row[0] for row in rows] == [row["change"] for row in printed]
    assert [row[5] for row in rows] == ["2", "2"]
    assert rows[0][2] == ""
    assert float(rows[1][2]) == pytest.approx(printed[1]["difference"], rel=1e-3)
    assert complaints(browser) == []


def test_a_page_without_an_ablation_shows_no_table_of_one(page):
    assert not page.one(".ablation").is_displayed()


def test_an_expression_filters_table_and_curves(page):
    page.type("lr < 0.01 and optimizer == 'sgd'")
    assert len(page.rows()) == 4
    assert page.lines("accuracy") == 8
    page.type("state == 'failed'")
    assert len(page.rows()) == 1
    page.type("accuracy:best > 90 and seed in (0, 1) and not lr >= 0.03")
    assert 0 < len(page.rows()) < 21


def test_the_filter_and_sumx_where_keep_the_same_runs(page, sweep):
    for where in EXPRESSIONS:
        question = Question(where=where, sortwith=("accuracy",))
        [*records] = read_experiment(
            ExperimentDir(sweep / "runs" / "digits"), Reader(question.measures)
        )
        page.type(where)
        assert page.one(".error").text == "", where
        assert set(page.rows()) == {run.name for run in chosen(records, question)}, where


EXPRESSIONS = [
    "lr < 0.03",
    "0.003 <= lr <= 0.03",
    "optimizer == 'adam' and not seed",
    'optimizer in ["sgd", "none"] or lr == 1e-3',
    "optimizer not in ('sgd',)",
    "hp['lr'] * 2 ** 2 >= 0.12",
    "-lr > -0.01",
    "log10(lr) == -2 or round(lr * 100) == 3",
    "lr // 0.02 == 1",
    "seed % 2 == 1",
    "accuracy:best > 90",
    "loss < 0.2 and accuracy >= 90",
    "max(seed, 1) == 1 and min(lr, 1) < 0.01",
    "state != 'done'",
    "epoch < 19",
    "lr == none",
    "lr != null and (seed == 0 or seed == 1)",
    "optimizer < 'b'",
    "'da' in optimizer",
    "len(optimizer) == 3",
    "true",
    "not true or false",
    "lr",
    "run != 'x' and hparams.lr < 0.02",
    "(lr if optimizer == 'sgd' else 1) < 0.1",
    "lr not in (0.1, 0.01)",
]


def test_a_brush_on_an_axis_filters_table_and_curves(page):
    over = page.one('[data-figure="parallel"]')
    axes = {axis["id"]: axis["x"] for axis in loads(over.get_attribute("data-axes"))}
    page.drag(over, (axes["h:lr"], 30), (axes["h:lr"], 90))
    rates = {float(cell) for cell in page.column("lr")}
    assert rates == {0.1, 0.05, 0.03} or rates == {0.1, 0.05}
    count = len(page.rows())
    page.drag(over, (axes["h:optimizer"], 190), (axes["h:optimizer"], 270))
    assert set(page.column("optimizer")) == {"adam"}
    assert len(page.rows()) < count
    assert page.lines("accuracy") == 2 * len(page.rows())
    page.click(".chip")
    page.click(".chip")
    assert len(page.rows()) == 21


def test_a_box_in_the_scatter_keeps_the_runs_in_it(page):
    page.choose("x", "h:lr")
    area = page.one(".figures .u-over")
    width, height = area.size["width"], area.size["height"]
    page.drag(area, (width * 0.02, height * 0.02), (width * 0.4, height * 0.98))
    assert set(page.column("lr")) <= {"0.001", "0.003", "0.01"}
    assert 0 < len(page.rows()) < 21


def test_pointing_at_a_row_lights_the_run_everywhere(page):
    row = page.one(".runs tbody tr:nth-child(3)")
    page.js("arguments[0].scrollIntoView({block: 'center'})", row)
    drawn = """
        const marked = (canvas) => {
          const copy = new OffscreenCanvas(canvas.width, canvas.height);
          const pen = copy.getContext('2d', { willReadFrequently: true });
          pen.drawImage(canvas, 0, 0);
          return pen.getImageData(0, 0, copy.width, copy.height).data.some(Boolean);
        };
        const layers = [...document.querySelectorAll('.over')];
        return layers.filter((canvas) => canvas.width && marked(canvas)).length;
    """
    assert page.js(drawn) == 0
    page.settle(lambda: page.pointer("mouseMoved", row, 200, 8))
    assert "is-lit" in row.get_attribute("class")
    assert page.js(drawn) >= 4


def test_pointing_at_a_line_names_the_run_and_lights_its_row(page):
    chart = page.one('[data-metric="accuracy"] .u-over')
    page.js("arguments[0].scrollIntoView({block: 'center'})", chart)
    height = chart.size["height"]
    tip = page.one(".tip")
    for y in range(4, height, 6):
        page.pointer("mouseMoved", chart, chart.size["width"] - 30, y)
        time.sleep(0.03)
        if tip.is_displayed():
            break
    rows = page.until(lambda: page.all("tr.is-lit"))
    assert len(rows) == 1
    assert rows[0].get_attribute("data-run") in tip.text
    assert "accuracy" in tip.text


def test_a_run_can_be_hidden_and_shown_again(page):
    before = page.lines("accuracy")
    page.click(".runs tbody tr:nth-child(2) input")
    assert page.lines("accuracy") == before - 2
    assert len(page.rows()) == 21
    assert page.all("tr.is-hidden")
    page.click(".table-card .quiet")
    assert page.lines("accuracy") == before


SEED_COLUMN = """
    const choices = [...document.querySelectorAll('.choices label')];
    choices.find((label) => label.textContent === 'seed').querySelector('input').click();
"""


def test_columns_can_be_chosen(page):
    assert "seed" in page.js("return document.querySelector('.runs thead').innerText").lower()
    page.js("document.querySelector('.chooser').open = true")
    page.settle(lambda: page.js(SEED_COLUMN))
    assert "seed" not in page.js("return document.querySelector('.runs thead').innerText").lower()


def test_groups_are_drawn_as_one_line_each_with_a_band(page):
    page.choose("group by", "h:optimizer")
    assert page.lines("accuracy") == 4
    assert page.one(".legend").text.split() == ["optimizer", "adam", "sgd"]
    page.choose("group by", "*h:seed")
    assert page.lines("accuracy") == 22


def group_rows(page):
    return page.js(
        """
        const text = (cell) => cell.firstChild?.textContent ?? '';
        return [...document.querySelectorAll('.runs tr.group')].map((row) =>
          [row.dataset.group, ...[...row.children].slice(2).map(text)]);
        """
    )


def headings(page):
    return page.js(
        "return [...document.querySelectorAll('.runs thead th')].slice(1).map((h) => h.textContent)"
    )


def test_groups_are_rows_of_means_as_sumx_by_prints_them(page, sweep, installed):
    page.choose("group by", "h:optimizer")
    page.choose("and", "h:lr")
    printed = run_command(
        "sumx digits --by optimizer,lr --columns accuracy --format markdown", sweep, installed
    )
    cells = [[cell.strip() for cell in line.split("|")] for line in printed.splitlines()]
    expected = {(row[1], row[2]): row[3] for row in cells[2:] if len(row) > 3}
    assert len(group_rows(page)) == len(expected) == 11
    at = headings(page).index("accuracy")
    rows = {row[0]: row[at] for row in group_rows(page)}
    assert rows == {
        f"optimizer={optimizer}, lr={lr}": spread for (optimizer, lr), spread in expected.items()
    }
    assert page.lines("accuracy") == 22
    assert "subgroups" in page.driver.current_url


def test_groups_are_sorted_by_their_means(page):
    page.choose("group by", "h:lr")
    at = headings(page).index("accuracy")
    page.click('[data-column="m:accuracy"]')
    means = [float(row[at].split()[0]) for row in group_rows(page)]
    assert means == sorted(means, reverse=True)
    assert len(page.all(".runs tr.group td.is-best")) >= 1
    page.click('[data-column="m:accuracy"]')
    assert [float(row[at].split()[0]) for row in group_rows(page)] == means[::-1]
    page.click('[data-column="name"]')
    assert [row[0] for row in group_rows(page)] == ["0.001", "0.003", "0.01", "0.03", "0.05", "0.1"]


def test_a_group_opens_and_what_is_hidden_of_it_does_not_count(page):
    page.choose("group by", "h:optimizer")
    page.click("[data-group=sgd] .name")
    assert len(page.all(".runs tr[data-run]")) == 10
    at = headings(page).index("accuracy")
    assert "(n=10/11)" in {row[0]: row[at] for row in group_rows(page)}["sgd"]
    page.click(".runs tr[data-run] input")
    assert "(n=9/11)" in {row[0]: row[at] for row in group_rows(page)}["sgd"]
    assert len(page.all(".runs tr[data-run]")) == 10
    page.click("[data-group=sgd] input")
    page.click("[data-group=sgd] input")
    assert "10, " not in page.one(".count").text
    assert page.one(".count").text in ("21 runs in 2 groups", "21 runs in 2 groups, 10 hidden")


def test_the_table_of_groups_is_saved_with_numbers(page):
    page.choose("group by", "h:optimizer")
    file = saved(page, "CSV", ".csv")
    lines = file.read_text().splitlines()
    file.unlink()
    names = lines[0].split(",")
    assert {"group", "accuracy:mean", "accuracy:std", "accuracy:n"} <= {*names}
    assert len(lines) == 3


def test_importance_is_pythons_whatever_is_filtered(page, sweep, installed):
    printed = loads(run_command("sumx digits --importance accuracy:best --json", sweep, installed))
    embedded = "return JSON.parse(document.getElementById('data').textContent).importances.accuracy"
    effects = page.js(embedded)
    assert [effect["name"] for effect in effects] == [row["hyperparameter"] for row in printed]
    assert [effect["explained"] for effect in effects] == pytest.approx(
        [row["explained"] for row in printed], abs=1e-4
    )
    page.type("lr < 0.05")
    assert any("over all 21 runs" in text.text for text in page.all(".card .about"))


def test_curves_are_smoothed_and_scaled_by_a_click(page):
    for text in ("Smooth", "log x", "log y"):
        button = next(toggle for toggle in page.all(".toggle") if toggle.text == text)
        page.settle(lambda button=button: page.js("arguments[0].click()", button))
        assert button.get_attribute("aria-pressed") == "true"
    assert "smooth=0.8&logx=true&logy=true" in page.driver.current_url
    assert page.lines("loss") > 0


def test_a_link_restores_the_view(page):
    page.type("lr < 0.05")
    page.click('[data-column="h:seed"]')
    page.choose("group by", "h:lr")
    page.click('.runs [data-group="0.01"] .name')
    page.click(".runs tr[data-run] .name")
    page.click(".runs tr[data-run] input")
    rows, link = page.rows(), page.driver.current_url
    opened = page.one(".panel h2").text
    lines = page.lines("loss")
    page.driver.get("about:blank")
    page.driver.get(link)
    page.until(lambda: page.all("tbody tr"))
    assert page.rows() == rows
    assert page.one(".filter input").get_attribute("value") == "lr < 0.05"
    assert page.one(".panel h2").text == opened
    assert page.lines("loss") == lines
    assert len(page.all("tr.is-hidden")) == 1


def test_an_address_that_was_cut_still_opens(browser, sweep):
    page = Page(
        browser, sweep / "digits.html", "filter=lr%20%3C%200.05&brushes=%7B%22h&hidden=3&nonsense"
    )
    assert len(page.rows()) == 16
    assert complaints(browser) == []


def test_the_panel_shows_all_about_a_run(page):
    page.type("lr == 0.05")
    page.click(".runs tbody .name")
    panel = page.until(lambda: page.one(".panel").is_displayed() and page.one(".panel"))
    text = panel.text
    assert "train.py --lr 0.05 --optimizer adam" in text
    assert "epoch 19: accuracy" in text
    assert "weights.png" in text
    assert page.js("return document.querySelector('.images img').naturalWidth") == 16
    diff = [line.text for line in page.all(".diff .plus, .diff .minus")]
    assert any('"adam": 2.5' in line for line in diff)
    assert any('"adam": 3.0' in line for line in diff)
    assert page.all(".pairs tr.differs")
    assert "Attempts (1)" in text
    page.settle(
        lambda: page.js("document.dispatchEvent(new KeyboardEvent('keydown', {key: 'Escape'}))")
    )
    assert not panel.is_displayed()


def test_two_runs_are_compared(page):
    rows = page.rows()
    [marked] = page.all(".runs tr:has(.other-code)")
    other = marked.get_attribute("data-run")
    run = next(key for key in rows[1:] if key != other)
    page.click(f'tr[data-run="{run}"] .name')
    assert page.one(".panel .pairs thead").text.split("\n")[0].endswith("best run")
    page.choose("compare with", other)
    panel = page.one(".panel")
    head = panel.find_element("css selector", ".pairs thead").text
    assert other.partition("_")[0] in head
    differing = [row.text.split() for row in page.all(".panel .pairs .differs:not(.result)")]
    assert "lr" in {row[0] for row in differing}
    assert "0.05" in next(row for row in differing if row[0] == "lr")
    names = [row.text.split()[0] for row in page.all(".panel .pairs tbody tr:not(.result)")]
    varying = [row[0] for row in differing if row[0] != "logdir"]
    assert names[: len(varying)] == varying
    page.until(lambda: page.all(".panel .compared .u-over"))
    charts = page.all(".panel .compared [data-metric]")
    assert {chart.get_attribute("data-metric") for chart in charts} == {"accuracy", "loss"}
    assert {chart.get_attribute("data-lines") for chart in charts} == {"4"}
    assert '"adam": 3.0' in page.one(".panel .diff").text
    assert "against=" in page.driver.current_url


def listed(page):
    return [row.text.split()[0] for row in page.all(".experiments tbody tr")]


def test_a_page_of_several_experiments_lists_and_finds_them(browser, sweep, installed):
    run_command("sumx '*' -s accuracy --html all.html", sweep, installed)
    page = Page(browser, sweep / "all.html")
    assert sorted(listed(page)) == ["ablated", "digits", "wild"]
    digits = page.one(".experiments tr[data-experiment$='/digits']")
    assert "1 failed" in digits.text
    assert "Which learning rate, with which optimizer?" in digits.text
    search = page.one("section:has(.experiments) input[type=search]")
    page.settle(lambda: search.send_keys("WHICH rate"))
    page.until(lambda: listed(page) == ["digits"])
    page.click(".experiments .name")
    assert len(page.rows()) == 21
    assert {key.split("/")[0] for key in page.rows()} == {"digits"}
    page.click(".experiments .name")
    assert len(page.rows()) == 28
    assert "search=which%20rate" in page.driver.current_url.lower()
    assert complaints(browser) == []
    assert hosts_asked(browser) == set()


def test_a_page_of_one_experiment_has_no_list(page):
    assert not page.one("section:has(.experiments)").is_displayed()


def test_a_failed_run_shows_the_end_of_its_log(page):
    page.type("state == 'failed'")
    page.click(".runs tbody .name")
    text = page.until(lambda: page.one(".panel").text)
    assert "FloatingPointError: the loss is not a number" in text
    assert "exit status 1" in text


def test_a_cell_of_the_heat_map_keeps_its_runs(page):
    over = page.one('[data-figure="heatmap"]')
    page.js("arguments[0].scrollIntoView({block: 'center'})", over)
    page.settle(lambda: page.pointer("mouseMoved", over, 120, 60))
    highlighted = page.all("tr.is-lit")
    assert highlighted
    page.pointer("mousePressed", over, 120, 60)
    page.settle(lambda: page.pointer("mouseReleased", over, 120, 60))
    assert len(page.rows()) == len(highlighted)


def saved(page, text, ending, within="body"):
    buttons = page.one(within).find_elements("css selector", "button")
    button = next(button for button in buttons if button.text == text)
    page.js("arguments[0].click()", button)
    return downloaded(page, ending)


def downloaded(page, ending):
    folder = Path(page.driver.downloads)
    return page.until(
        lambda: next((file for file in folder.glob(f"*{ending}") if file.stat().st_size), None)
    )


def test_the_table_is_saved_as_it_is_seen(page):
    page.type("optimizer == 'sgd'")
    lines = saved(page, "CSV", ".csv", ".table-card").read_text().splitlines()
    assert len(lines) == 11
    assert "accuracy best" in lines[0]


def test_pictures_are_saved(page):
    svg = saved(page, "SVG", "accuracy.svg", '[data-metric="accuracy"]').read_text()
    assert svg.startswith("<svg ")
    assert svg.count("<path") > 40
    png = saved(page, "PNG", "accuracy.png", '[data-metric="accuracy"]').read_bytes()
    assert png.startswith(b"\x89PNG")
    for figure in ("parallel", "heatmap", "importance", "scatter"):
        card = page.js(
            "return [...document.querySelectorAll('.card')].find((card) => "
            "card.querySelector('h3')?.textContent.toLowerCase().startsWith(arguments[0]))",
            {"heatmap": "heat"}.get(figure, figure),
        )
        page.js("arguments[0].click()", card.find_elements("css selector", ".saves button")[1])
        assert "<text" in downloaded(page, f"{figure}.svg").read_text()


def test_the_page_can_be_used_by_everybody(page):
    axe = os.environ.get("RUNX_AXE")
    if not axe:
        pytest.skip("RUNX_AXE does not name axe.min.js of axe-core; .ci/browser gets it")
    page.click(".runs tbody .name")
    for theme in ("light", "dark"):
        page.js("document.documentElement.dataset.theme = arguments[0]", theme)
        page.js(Path(axe).read_text())
        outcome = page.driver.execute_async_script(
            "const done = arguments[arguments.length - 1];"
            "axe.run().then(done, (problem) => done({error: String(problem)}))"
        )
        assert "error" not in outcome, outcome
        serious = [
            (fault["id"], [node["html"][:120] for node in fault["nodes"]][:3])
            for fault in outcome["violations"]
            if fault["impact"] in ("serious", "critical")
        ]
        assert serious == [], theme


def test_the_page_prints_in_light_colours_without_its_buttons(page):
    page.js("document.documentElement.dataset.theme = 'dark'")
    printed = page.driver.execute_cdp_cmd("Page.printToPDF", {"printBackground": True})
    assert len(printed["data"]) > 20_000
    page.js("dispatchEvent(new Event('beforeprint'))")
    paper = page.js("return getComputedStyle(document.body).backgroundColor")
    assert paper == "rgb(245, 246, 248)"
    page.js("dispatchEvent(new Event('afterprint'))")


def test_the_page_fits_a_narrow_window(sweep):
    with chromium(500, 900) as driver:
        page = Page(driver, sweep / "wild.html")
        assert page.js("return document.documentElement.scrollWidth <= innerWidth")


def test_the_keyboard_alone_reaches_a_run(page):
    page.js("document.querySelector('.runs tbody .name').focus()")
    page.settle(lambda: page.driver.switch_to.active_element.send_keys("\ue007"))
    page.until(lambda: page.one(".panel").is_displayed())
    page.settle(lambda: page.driver.switch_to.active_element.send_keys("\ue00c"))
    assert not page.one(".panel").is_displayed()
    assert "name" in page.driver.switch_to.active_element.get_attribute("class")


COLUMNS = ["state", "h:lr", "h:optimizer", "h:seed", "m:loss", "m:accuracy", "b:accuracy", "epoch"]


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_pictures_of_the_page_for_the_documents(theme, sweep, tmp_path):
    file = Path(os.environ.get("RUNX_SCREENSHOTS", tmp_path)) / f"report-{theme}.png"
    with chromium(1440, 1510) as driver:
        page = Page(driver, sweep / "digits.html", f"theme={theme}&columns={quote(dumps(COLUMNS))}")
        page.until(lambda: page.lines("accuracy"))
        driver.save_screenshot(str(file))
        assert complaints(driver) == []
    if "RUNX_SCREENSHOTS" in os.environ:
        few_colours(file)
        assert file.stat().st_size < 150_000


def few_colours(file):
    """Write a picture with the 256 colours that it has most of, as small as can be."""
    images = pytest.importorskip("PIL.Image")
    picture = images.open(file).convert("RGB")
    common = sorted(picture.getcolors(1 << 24), reverse=True)[:256]
    palette = images.new("P", (1, 1))
    palette.putpalette([part for _, colour in common for part in colour])
    picture.quantize(palette=palette, dither=0).save(file, optimize=True)

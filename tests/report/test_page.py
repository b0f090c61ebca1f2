"""The page as a file: complete, without other hosts, and safe whatever its data holds."""

import base64
import hashlib
import html
import json
import re
from importlib.resources import files
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

import runx.report.page
from runx.report.page import MODULES, embedded, page, program, style_sheet

ASSETS = Path(runx.report.page.__file__).parent / "assets"


def test_no_data_ends_the_element_that_holds_it():
    wild = {
        "experiment": "</title><script>alert(1)</script>",
        "runs": ["<!--<script>", "]]>", "&lt;"],
    }
    text = page(wild)
    assert text.count("<script") == 2
    assert text.count("</script>") == 2
    assert "<script>alert" not in text
    assert "<!--" not in text.partition("<body>")[2].partition("<script>\n")[0][:400]


@given(
    st.recursive(
        st.text() | st.integers(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)
    )
)
def test_what_is_embedded_comes_out_as_it_went_in(content):
    text = embedded({"x": content})
    assert not re.search(r"[<>&]", text)
    assert text.isascii()
    assert json.loads(text) == {"x": content}


def test_nothing_in_the_page_names_another_host():
    text = page({"experiment": "x", "runs": []})
    hosts = set(re.findall(r"https?://([\w.-]+)", text))
    assert hosts <= {"www.w3.org", "github.com"}
    assert not re.search(r"\b(?:src|href)=[\"']?(?:https?:)?//", text)
    assert "@import" not in text


def test_the_policy_lets_the_browser_run_this_program_and_no_other():
    text = page({"experiment": "x", "runs": []})
    [policy] = re.findall(r'Security-Policy" content="([^"]+)"', text)
    [script] = re.findall(r"<script>(.*)</script>", text, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'" in html.unescape(policy)
    assert "default-src 'none'" in policy
    assert "connect-src 'none'" in policy


def test_only_the_live_page_may_connect_to_its_server():
    live = page({"experiment": "x", "runs": [], "live": {"token": "t", "since": 0}})
    assert "connect-src 'self'" in live


def test_the_page_without_data_is_far_below_two_megabytes():
    assert len(page({"experiment": "x", "runs": []})) < 400_000


def test_every_module_is_in_the_program_after_those_that_it_imports():
    assert sorted(MODULES) == sorted(path.stem for path in ASSETS.glob("*.js"))
    for nth, name in enumerate(MODULES):
        source = (ASSETS / f"{name}.js").read_text()
        imported = re.findall(r'from "\./(\w+)\.js"', source)
        assert set(imported) <= set(MODULES[:nth]), name
        assert len(imported) == len(re.findall(r"^import ", source, re.MULTILINE)), name


def test_what_a_module_imports_is_there():
    exported = {
        name: set(
            re.findall(
                r"^export (?:async )?(?:function|class|const) (\w+)",
                (ASSETS / f"{name}.js").read_text(),
                re.MULTILINE,
            )
        )
        for name in MODULES
    }
    for name in MODULES:
        source = (ASSETS / f"{name}.js").read_text()
        for names, other in re.findall(r'^import \{([^}]*)\} from "\./(\w+)\.js"', source, re.M):
            imported = {part.strip() for part in names.split(",") if part.strip()}
            assert imported <= exported[other], f"{name} imports {imported - exported[other]}"


def test_the_program_never_reads_markup():
    for name in MODULES:
        source = (ASSETS / f"{name}.js").read_text()
        assert not re.search(
            r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b", source
        )


def test_the_modules_stay_readable():
    for path in ASSETS.glob("*.js"):
        assert path.read_text().count("\n") < 300, path.name


def test_the_plotting_library_is_bundled_with_its_licence():
    vendor = files("runx.report").joinpath("vendor", "uplot")
    assert "MIT" in vendor.joinpath("LICENSE").read_text()
    version = re.search(r"leeoniya/uPlot \(v([\d.]+)\)", program())
    listed = files("runx.report").joinpath("vendor", "README.md").read_text()
    assert f"| {version[1]} |" in listed
    assert "</script" not in program().lower()
    assert "</style" not in style_sheet().lower()

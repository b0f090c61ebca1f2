"""The live page: who is let in, and what reaches whoever watches."""

import contextlib
import json
import re
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request

import pytest
from browsing import chromium, complaints, hosts_asked
from pages import Page
from run_folders import make_run

from runx.api.watch import listening
from runx.errors import RunxError
from runx.rundir.records import encode

pytest.importorskip("starlette")
pytest.importorskip("uvicorn")


@contextlib.contextmanager
def watched(folder, env, *words):
    """Run ``runx watch`` until the test is over; gives the address that it prints."""
    command = [sys.executable, "-m", "runx.runx", "watch", str(folder), "--port", "0", *words]
    with subprocess.Popen(
        command, env=env, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        try:
            address = process.stdout.readline().strip()
            assert address, process.stderr.read()
            yield address, process
        finally:
            process.terminate()
            process.wait(30)


def status(address, **more):
    """Ask for an address, once the server is up; gives the status and the answer."""
    end = time.monotonic() + 30
    while True:
        try:
            with urllib.request.urlopen(urllib.request.Request(address, **more)) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()
        except OSError:
            if time.monotonic() > end:
                raise
            time.sleep(0.1)


def part(address, path, **query):
    """The address of another part of the page."""
    base, _, token = address.partition("/?token=")
    return f"{base}/{path}?{urllib.parse.urlencode({'token': token, **query})}"


@pytest.fixture
def sweep(tmp_path):
    folder = tmp_path / "sweep"
    for name, lr in (("a", 0.1), ("b", 0.2)):
        make_run(folder / name, {"lr": lr}, acc=[1, 2])
        (folder / name / "output.log").write_text(f"hello from {name}\n")
    return folder


def test_nothing_is_shown_without_the_token(sweep, installed):
    with watched(sweep, installed) as (address, _):
        bare = address.partition("?")[0]
        for path in ("", "events", "log?run=a", "nonsense", "favicon.ico"):
            code, answer = status(bare + path)
            assert code == 403
            assert "sweep" not in answer
        wrong = address[:-1] + ("a" if address[-1] != "a" else "b")
        assert status(wrong)[0] == 403
        assert status(f"{bare}?token=%C3%A9")[0] == 403


def test_without_a_name_all_experiments_are_followed(tmp_path, installed):
    make_run(tmp_path / "one" / "a", {"lr": 1}, acc=[1])
    make_run(tmp_path / "two" / "b", {"lr": 2}, acc=[1])
    with watched(f"--logroot={tmp_path}", installed) as (address, _):
        code, page = status(address)
        assert code == 200
        assert '"experiment":"one, two"' in page


def test_only_the_names_of_this_machine_are_answered_to(sweep, installed):
    with watched(sweep, installed) as (address, _):
        port = urllib.parse.urlsplit(address).port
        for host in ("evil.example", f"evil.example:{port}", f"127.0.0.1.evil.example:{port}", ""):
            assert status(address, headers={"Host": host})[0] == 403, host
        for host in (f"127.0.0.1:{port}", f"LOCALHOST:{port}", f"[::1]:{port}"):
            assert status(address, headers={"Host": host})[0] == 200, host


@pytest.mark.parametrize("place", ["9" * 5000, "-" + "9" * 5000, "x", "1.5", "\u0663"])
def test_a_place_that_is_none_is_a_wrong_request(place, sweep, installed):
    with watched(sweep, installed) as (address, _):
        assert status(part(address, "log", run="a", place=place))[0] == 400


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
def test_nothing_can_be_changed(method, sweep, installed):
    with watched(sweep, installed) as (address, _):
        assert status(address, method=method, data=b"")[0] == 405


def test_a_log_outside_the_experiment_is_not_read(sweep, installed):
    (sweep.parent / "secret").mkdir()
    (sweep.parent / "secret" / "output.log").write_text("secret")
    with watched(sweep, installed) as (address, _):
        for name in ("../secret", "/etc", "c", ""):
            assert status(part(address, "log", run=name))[0] == 404
        code, answer = status(part(address, "log", run="a"))
        assert (code, json.loads(answer)["text"]) == (200, "hello from a\n")


def test_an_unknown_experiment_names_those_there_are(sweep, installed):
    command = [sys.executable, "-m", "runx.runx", "watch", "swep", "--logroot", str(sweep.parent)]
    done = subprocess.run(command, env=installed, capture_output=True, text=True, timeout=60)
    assert done.returncode == 2
    assert "sweep" in done.stderr


def test_a_port_that_is_taken_says_what_to_do():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(RunxError, match="--port 0 takes any"):
            listening("127.0.0.1", taken.getsockname()[1])


def test_an_address_that_is_not_ours_is_refused():
    with pytest.raises(RunxError, match=r"203\.0\.113\.7"):
        listening("203.0.113.7", 0)
    with pytest.raises(RunxError, match="no address"):
        listening("no such host.invalid", 0)


def test_another_address_must_be_asked_for_and_says_what_that_means(sweep, installed):
    with watched(sweep, installed) as (address, _):
        assert address.startswith("http://127.0.0.1:")
    with watched(sweep, installed, "--bind", "0.0.0.0") as (address, process):
        assert status(address)[0] == 200
        process.terminate()
        assert "whoever knows the address sees commands, logs and code" in process.stderr.read()


def test_the_page_is_never_kept_or_framed_by_others(sweep, installed):
    with watched(sweep, installed) as (address, _):
        status(address)
        with urllib.request.urlopen(address) as answer:
            assert answer.headers["Cache-Control"] == "no-store"
            assert answer.headers["Referrer-Policy"] == "no-referrer"
            assert answer.headers["X-Frame-Options"] == "DENY"


def test_what_is_logged_is_sent_also_to_a_page_that_listens_later(sweep, installed):
    with watched(sweep, installed) as (address, _):
        status(address)
        with (sweep / "a" / "metrics.csv").open("a") as rows:
            rows.write(encode("val", {"acc": 3}, 2, 40.0))
        for _ in range(2):
            with urllib.request.urlopen(part(address, "events", since=0)) as stream:
                line = next(line for line in stream if line.startswith(b"data: [{"))
            [change] = json.loads(line[6:])
            assert (change["key"], change["points"][0][2]) == ("a", {"acc": 3.0})


def test_a_page_that_comes_from_another_time_is_loaded_anew(sweep, installed):
    with watched(sweep, installed) as (address, _):
        status(address)
        with urllib.request.urlopen(part(address, "events", since=99)) as stream:
            assert any(line == b"event: reload\n" for line in stream)


SLOW = """
import pathlib, sys, time
from runx.logx import logx

logx.initialize()
go = pathlib.Path(sys.argv[1])
for epoch in range(1000):
    while not (go / str(epoch)).exists():
        time.sleep(0.02)
        if (go / "end").exists():
            sys.exit(3)
    logx.metric("val", {"acc": epoch, **({"late": 1} if epoch > 2 else {})}, epoch)
    print("epoch", epoch)
"""


@pytest.mark.browser
def test_the_live_page_gains_points_runs_states_and_output(installed, tmp_path):
    go = tmp_path / "go"
    go.mkdir()
    (go / "0").touch()
    (tmp_path / "train.py").write_text(SLOW)
    text = f"CMD: {sys.executable} train.py {go}\\nHPARAMS: {{}}\\n".replace("\\n", "\n")
    (tmp_path / "slow.yml").write_text(text)
    launch = subprocess.Popen(["runx", "slow.yml", "-i"], cwd=tmp_path, env=installed)
    try:
        until(lambda: list(tmp_path.glob("runs/slow/*/metrics.csv")))
        with watched(tmp_path / "runs" / "slow", installed) as (address, _), chromium() as driver:
            status(address)
            live(driver, address, go)
            make_run(tmp_path / "runs" / "slow" / "late<b>", {"lr": 3}, acc=[5])
            page = Page.__new__(Page)
            page.driver = driver
            page.until(lambda: "late<b>" in page.rows())
            page.until(lambda: page.all("option[value='h:lr']"))
            (go / "end").touch()
            page.until(lambda: "1 failed" in page.one(".states").text)
            assert complaints(driver) == []
            assert hosts_asked(driver) == {"127.0.0.1"}
    finally:
        (go / "end").touch()
        launch.wait(60)


def until(true):
    end = time.monotonic() + 60
    while not (value := true()):
        assert time.monotonic() < end
        time.sleep(0.05)
    return value


def live(driver, address, go):
    """Watch a run: each point within 2 s at best, its log, a metric that it has not had before."""
    driver.get(address)
    page = Page.__new__(Page)
    page.driver = driver
    page.until(lambda: page.one(".live").text == "live")
    page.js("window.isTheSame = true; document.querySelector('.name').click()")
    page.until(lambda: "epoch 0" in page.one(".log").text)
    chart = page.one('[data-metric="acc"]')
    took = []
    for epoch in (1, 2, 3):
        begin = time.monotonic()
        (go / str(epoch)).touch()
        page.until(lambda epoch=epoch: int(chart.get_attribute("data-points")) == epoch + 1)
        took.append(time.monotonic() - begin)
    assert min(took) < 2
    page.until(lambda: "epoch 3" in page.one(".log").text)
    assert page.all('[data-metric="late"]')
    assert page.column("acc") == ["3"]
    assert page.js("return window.isTheSame"), "the page was loaded anew"
    assert re.search("1 running", page.one(".states").text)


def test_a_page_whose_experiment_went_away_says_so_and_takes_it_up_again(sweep, installed):
    with watched(sweep, installed) as (address, _):
        status(address)
        away = sweep.with_name("away")
        sweep.rename(away)
        time.sleep(1.2)
        assert status(address)[0] == 200
        with (away / "a" / "metrics.csv").open("a") as rows:
            rows.write(encode("val", {"acc": 3}, 2, 40.0))
        away.rename(sweep)
        with urllib.request.urlopen(part(address, "events", since=0)) as stream:
            line = next(line for line in stream if line.startswith(b"data: [{"))
        assert json.loads(line[6:])[0]["key"] == "a"

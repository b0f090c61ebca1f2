"""NOTIFY in real launches: here, detached and on a farm, told to a server on loopback."""

import http.server
import json
import subprocess
import threading

import pytest
from sweeps import wait_until

TRAIN = """\
import os, sys, time
n = int(sys.argv[sys.argv.index("--n") + 1])
from runx.logx import logx
logx.initialize()
time.sleep(n / 2)
print("CONFIDENTIAL")
if n == 2:
    sys.exit("ValueError: loss is nan")
logx.metric("val", {"acc": n / 10}, 0)
"""
SECRET = "tk-3f9a"
JOBS = """\
FARM: jobs
jobs:
  SUBMIT_CMD: setsid bash {{ script }} >>jobs.log 2>&1 </dev/null & echo 42
"""


@pytest.fixture
def told():
    """What a server on loopback was sent; ``told.at`` is its address."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            sent.append(json.loads(body))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_):
            pass

    class Sent(list):
        at = ""

    sent = Sent()
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    sent.at = f"127.0.0.1:{server.server_port}/{SECRET}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield sent
    server.shutdown()
    server.server_close()


@pytest.fixture
def typed(tmp_path, installed):
    (tmp_path / "train.py").write_text(TRAIN)
    (tmp_path / "sweep.yml").write_text("CMD: python train.py\nHPARAMS: {n: [1, 2, 3]}\n")

    def run(*words, **environment):
        done = subprocess.run(
            words,
            cwd=tmp_path,
            env={**installed, **environment},
            capture_output=True,
            text=True,
            timeout=120,
        )
        return done.returncode, done.stdout + done.stderr

    return run


def kept(folder):
    """Return the files in which the secret stands."""
    files = (path for path in folder.rglob("*") if path.is_file())
    return {path.name for path in files if SECRET.encode() in path.read_bytes()}


def test_who_cannot_be_told_costs_a_line_and_changes_no_exit_status(typed, tmp_path):
    status, output = typed(
        "runx", "sweep.yml", "n=1", "-i", "--notify", f"http://127.0.0.1:1/{SECRET}"
    )
    assert status == 0
    assert output.count("warning: NOTIFY: 127.0.0.1:1: Connection refused") == 1
    assert kept(tmp_path / "runs") == {"notify.json"}
    status, output = typed("runx", "sweep.yml", "n=2", "-i", "--notify", "exit 3")
    assert status == 1
    assert output.count("warning: NOTIFY: its command ended with 3") == 1


def test_a_sweep_here_is_told_of_once_and_its_address_is_kept_nowhere_else(
    typed, told, tmp_path, tmp_path_factory
):
    own = tmp_path_factory.mktemp("config")  # The project is frozen, with all that is in it.
    (own / "runx.yml").write_text(f"NOTIFY: {{to: http://{told.at}, best: acc}}\n")
    config = {"XDG_CONFIG_HOME": str(own)}
    status, output = typed("runx", "sweep.yml", "-i", "-j", "3", **config)
    assert status == 1, output
    assert [each["event"] for each in told] in (["failure", "end"], ["failure", "best", "end"])
    assert told[0]["cause"] == "1 x ValueError: loss is nan"
    assert told[-1]["counts"] == {"done": 2, "failed": 1}
    assert told[-1]["best"]["value"] == 0.3
    assert "CONFIDENTIAL" not in json.dumps(told)
    assert kept(tmp_path / "runs") == {"notify.json"}
    assert "changed since" not in typed("runx", "status", "sweep", "--failures")[1]
    typed("sumx", "sweep", "--html", "page.html")
    assert SECRET not in (tmp_path / "page.html").read_text()
    assert SECRET not in typed("runx", "show", "sweep", "--json")[1]
    count = len(told)
    typed("runx", "sweep.yml", "-i", "--resume", "--retry", "lost", **config)
    assert len(told) == count


@pytest.mark.parametrize("form", ["ntfy", "slack", "json"])
def test_a_detached_launch_tells_in_the_form_of_its_server(typed, told, form):
    to = f"{{to: '{form}+http://{told.at}', digest: true}}"
    typed("runx", "sweep.yml", "n=2", "-i", "--detach", RUNX_NOTIFY=to)
    wait_until(lambda: told)
    [message] = told
    expected = {"ntfy": {"topic": SECRET}, "slack": {}, "json": {"event": "end"}}[form]
    assert expected.items() <= message.items()
    assert "sweep: ended, 1 failed" in json.dumps(message)
    assert ("CONFIDENTIAL" in json.dumps(message)) == (form == "json")


def test_on_a_farm_the_last_job_tells(typed, told, tmp_path):
    (tmp_path / ".runx").write_text(JOBS)
    status, output = typed("runx", "sweep.yml", "--notify", f"http://{told.at}")
    assert status == 0, output
    wait_until(lambda: told and told[-1]["event"] == "end")
    events = [each["event"] for each in told]
    assert events == ["failure", "end"]
    assert told[-1]["counts"] == {"done": 2, "failed": 1}
    assert kept(tmp_path / "runs") == {"notify.json"}
    assert (tmp_path / "jobs.log").read_text() == ""


def test_a_job_asks_for_no_python_while_others_go_on(typed, tmp_path):
    (tmp_path / ".runx").write_text(JOBS)
    typed("runx", "sweep.yml", "n=1,3", "--notify", "true")
    [script] = tmp_path.glob("runs/sweep/.runx/launches/*/notify.sh")
    script.write_text(f"#!/bin/sh\n# on: end\necho asked >>{tmp_path}/asked\n")
    wait_until(lambda: (tmp_path / "asked").exists())
    wait_until(lambda: "1 done" not in typed("runx", "status", "sweep")[1])
    assert (tmp_path / "asked").read_text() == "asked\n"


def test_a_launch_that_a_person_stops_is_not_told_of(tmp_path, installed, typed, told):
    words = ["runx", "sweep.yml", "n=9", "-i", "--notify", f"http://{told.at}"]
    launch = subprocess.Popen(words, cwd=tmp_path, env=installed, stdout=-1, stderr=-2, text=True)
    wait_until(lambda: "running" in typed("runx", "status", "--json")[1])
    launch.terminate()
    launch.communicate(timeout=60)
    assert launch.returncode == 130
    assert told == []

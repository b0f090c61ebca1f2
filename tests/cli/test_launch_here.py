"""Runs on this machine as a person starts and stops them: real signals, a real terminal."""

import json
import os
import pty
import select
import signal
import subprocess
import time

import pytest
from sweeps import Sweep, events, names, state_of, wait_until

from runx.local.process import processes_of
from runx.rundir.orders import CANCEL, write_order

FOREVER = "until [ -e ../go ]; do sleep 0.05; done"


@pytest.fixture
def sweep(tmp_path, installed):
    project = Sweep(tmp_path / "project", installed)
    yield project
    project.clean()


def begun(sweep, *words, count=2, **options):
    """Start runx, and wait until so many of its runs are at work."""
    launcher = sweep.start("-i", *words, **options)
    wait_until(lambda: len(sweep.told("begin")) >= count)
    return launcher


STOPS = {signal.SIGINT: "INT", signal.SIGTERM: "TERM", signal.SIGHUP: "TERM"}


@pytest.mark.parametrize("number", STOPS)
def test_a_signal_stops_what_runs_starts_nothing_more_and_says_how_to_go_on(sweep, number):
    sweep.trains(f"trap 'exit 7' {STOPS[number]}; {FOREVER}")
    launcher = begun(sweep, "-j", "2")
    launcher.send_signal(number)
    printed = sweep.ended(launcher)
    assert launcher.returncode == 130
    assert "stopped: 0 of 3 runs done, 2 cancelled, 1 not started" in printed
    assert printed.splitlines()[-1] == "go on: runx sweep.yml -i -j 2 --resume"
    assert sorted(sweep.states()) == ["cancelled", "cancelled", "planned"]
    assert sorted(event.get("code") for event in _ends(sweep)) == [7, 7]
    sweep.trains(":")
    sweep.runx("-i", "--resume", "--restage")
    assert sweep.states() == ["done"] * 3


def _ends(sweep):
    return [event for run in sweep.runs() for event in events(run) if event["event"] == "ended"]


def test_the_second_signal_kills_what_did_not_heed_the_first(sweep):
    sweep.trains(f"trap '' INT TERM; {FOREVER}")
    launcher = begun(sweep, "-j", "2")
    launcher.send_signal(signal.SIGINT)
    wait_until(lambda: all("signalled" in names(run) for run in sweep.runs() if names(run)))
    assert "once more kills it" in sweep.said(launcher)
    launcher.send_signal(signal.SIGINT)
    printed = sweep.ended(launcher)
    assert launcher.returncode == 130, printed
    assert sorted(sweep.states()) == ["cancelled", "cancelled", "planned"]


def test_a_run_that_ends_well_although_it_was_told_to_stop_is_done(sweep):
    sweep.trains(f"trap : INT; {FOREVER}")
    launcher = begun(sweep, "-j", "2")
    launcher.send_signal(signal.SIGINT)
    for run in sweep.runs():
        (run.path / "go").touch()
    sweep.ended(launcher)
    assert sorted(sweep.states()) == ["done", "done", "planned"]


def test_runs_of_a_launcher_that_ignores_interrupts_can_be_interrupted(sweep):
    sweep.trains(f"trap 'exit 7' INT; {FOREVER}")
    # As a script does with what it starts in its background.
    launcher = begun(sweep, "-j", "2", ignored=True)
    launcher.send_signal(signal.SIGINT)
    ran = [run for run in sweep.runs() if names(run)]
    os.kill(events(ran[0])[0]["pid"], signal.SIGINT)
    wait_until(lambda: "ended" in names(ran[0]))
    assert launcher.poll() is None
    launcher.send_signal(signal.SIGTERM)
    sweep.ended(launcher)
    assert launcher.returncode == 130
    assert sorted(sweep.states()).count("planned") <= 1
    assert not any(state_of(run) == "running" for run in sweep.runs())


def test_ctrl_c_while_runs_are_made_leaves_none_half_made(sweep):
    sweep.write("sweep.yml", f"CMD: bash train.sh\nHPARAMS: {{n: {list(range(300))}}}\n")
    launcher = sweep.start("-i")
    wait_until(lambda: len(sweep.runs()) > 5)
    launcher.send_signal(signal.SIGINT)
    printed = sweep.ended(launcher)
    assert launcher.returncode == 130, printed
    assert printed.splitlines()[-1].endswith("go on with: runx sweep.yml -i --resume")
    assert not list((sweep.root / "sweep/.runx/making").iterdir())
    shown = sweep.runx("-n", "-i", "--resume")
    assert len([line for line in shown.splitlines() if line.startswith("bash train.sh")]) == 300


def test_a_time_limit_ends_the_group_and_what_has_left_it(sweep):
    sweep.write("sweep.yml", "CMD: bash train.sh\nHPARAMS: {n: 0}\n")
    sweep.trains("trap '' TERM; setsid sleep 300 & sleep 300 & sleep 300")
    printed = sweep.runx("-i", "--timeout", "1s", "--grace", "0.5s", status=1)
    (run,) = sweep.runs()
    assert state_of(run) == "timeout"
    assert "1 x timeout" in printed
    wait_until(lambda: not list(processes_of(run, 1)))


def test_a_run_that_heeds_its_time_limit_ends_by_itself(sweep):
    sweep.write("sweep.yml", "CMD: bash train.sh\nHPARAMS: {n: 0}\n")
    sweep.trains(f"trap 'echo bye; exit 3' TERM; {FOREVER}")
    sweep.runx("-i", "--timeout", "1s", "--retries", "2", status=1)
    (run,) = sweep.runs()
    assert state_of(run) == "timeout"
    assert "bye" in run.output.read_text()
    assert not run.claim(2).exists()


def test_a_run_that_fails_is_tried_again_as_often_as_asked(sweep):
    sweep.trains("[ $2 -lt 2 ] || [ $RUNX_ATTEMPT = 3 ] || exit 1")
    printed = sweep.runx("-i", "-j", "2", "--retries", "2")
    assert sweep.told("begin") == [0, 1, 2, 2, 2]
    assert printed.count("once more") == 2
    assert sweep.states() == ["done"] * 3
    assert names(sweep.run(2), 3)[-1] == "ended"


def test_a_run_that_fails_every_time_has_failed_once(sweep):
    sweep.trains("exit 1")
    printed = sweep.runx("-i", "--retries", "1", "--max-failures", "2", status=1)
    assert "2 of 3 runs failed, 1 not started" in printed
    assert sweep.told("begin") == [0, 0, 1, 1]


def test_fail_fast_starts_nothing_after_the_first_failure(sweep):
    sweep.trains("exit 1")
    printed = sweep.runx("-i", "--fail-fast", status=1)
    assert "1 of 3 runs failed, 2 not started" in printed
    assert printed.splitlines()[-1] == "retry: runx sweep.yml -i --fail-fast --resume"
    assert sweep.states() == ["failed", "planned", "planned"]


def test_so_many_run_at_a_time_and_no_more(sweep):
    sweep.trains('for i in 1 2 3; do echo "busy $2" >> "$JOURNAL"; sleep 0.05; done')
    sweep.write("sweep.yml", f"CMD: bash train.sh\nHPARAMS: {{n: {list(range(6))}}}\n")
    sweep.runx("-i", "-j", "2")
    busy, most = 0, 0
    for line in sweep.journal.read_text().splitlines():
        busy += {"begin": 1, "end": -1}.get(line.split()[0], 0)
        most = max(most, busy)
    assert most == 2


def test_the_output_of_several_runs_has_their_names_in_front(sweep):
    sweep.trains("echo hello $2; printf unfinished")
    printed = sweep.runx("-i", "-j", "2", "--stream").splitlines()
    for run in sweep.runs():
        number = json.loads(run.hparams.read_text())["n"]
        assert f"{run.path.name}: hello {number}" in printed
        assert f"{run.path.name}: unfinished" in printed


def test_each_run_gets_devices_of_its_own_and_none_without_being_asked(sweep):
    sweep.write(".runx", "GPUS: [g0, g1, g2, g3]\n")
    sweep.trains('echo "device $2 $CUDA_VISIBLE_DEVICES $HIP_VISIBLE_DEVICES" >> "$JOURNAL"')
    sweep.runx("-i", "-j", "auto", "--gpus-per-run", "2")
    given = {line.split()[2] for line in sweep.journal.read_text().splitlines() if "dev" in line}
    assert given <= {"g0,g1", "g2,g3", "g0,g2", "g0,g3", "g1,g2", "g1,g3"}
    sweep.journal.unlink()
    sweep.runx("-i", "--again", "--gpus-per-run", "0", CUDA_VISIBLE_DEVICES="7")
    assert sweep.journal.read_text().count(" 7 ") == 3


def test_more_devices_than_there_are_is_a_mistake(sweep):
    sweep.write(".runx", "GPUS: [g0, g1]\n")
    printed = sweep.runx("-i", "--gpus-per-run", "3", status=2)
    assert printed.splitlines()[-1] == "runx: --gpus-per-run 3: 2 are there"
    assert not sweep.runs()


def test_a_launcher_that_finds_every_device_taken_says_so_and_waits(sweep):
    sweep.write(".runx", "GPUS: g0\n")
    sweep.trains(FOREVER)
    first = begun(sweep, "-j", "1", "--exp_name", "other", count=1)
    second = sweep.start("-i", "-j", "2")
    wait_until(lambda: "waiting for a GPU" in sweep.said(second))
    assert not any(names(run) for run in sweep.runs())
    first.kill()
    _kill_all(sweep, "other")
    wait_until(lambda: any(names(run) for run in sweep.runs()))


def _kill_all(sweep, experiment):
    for path in (sweep.root / experiment).iterdir():
        file = path / "attempts/1.events.jsonl"
        if file.exists() and "group" in file.read_text():
            group = json.loads(file.read_text().splitlines()[1])["group"]
            os.killpg(group, signal.SIGKILL)


def test_a_run_that_is_begun_by_hand_while_it_waits_is_not_executed_again(sweep):
    sweep.trains(f"[ $2 != 0 ] || {FOREVER}")
    launcher = begun(sweep, count=1)
    by_hand = subprocess.run(["bash", sweep.run(1).script], env=sweep.environment)
    assert by_hand.returncode == 0
    (sweep.run(0).path / "go").touch()
    printed = sweep.ended(launcher)
    assert launcher.returncode == 0
    assert f"{sweep.run(1).path.name}: left alone" in printed
    assert sweep.told("begin") == [0, 1, 2]


def test_a_run_that_goes_on_by_hand_is_left_alone_by_resume(sweep):
    sweep.trains("exit 1")
    sweep.runx("-i", status=1)
    for run in sweep.runs():
        (run.code / "train.sh").chmod(0o644)
        (run.code / "train.sh").write_text(f'echo "begin $2" >> "$JOURNAL"; {FOREVER}\n')
    run = sweep.run(1)
    by_hand = subprocess.Popen(["bash", run.script], env=sweep.environment)
    wait_until(lambda: "running" in names(run, 2))
    for other in (sweep.run(0), sweep.run(2)):
        (other.path / "go").touch()
    printed = sweep.runx("-i", "--resume")
    assert "2 failed" in printed and "1 running" in printed and "starting 2" in printed
    (run.path / "go").touch()
    assert by_hand.wait(30) == 0
    assert sweep.told("begin") == [0, 0, 1, 1, 2, 2]


def test_a_waiting_run_that_is_called_off_never_starts(sweep):
    sweep.trains(f"[ $2 != 0 ] || {FOREVER}")
    launcher = begun(sweep, count=1)
    write_order(sweep.run(1), CANCEL, 1)
    assert state_of(sweep.run(1)) == "cancelled"
    (sweep.run(0).path / "go").touch()
    printed = sweep.ended(launcher)
    assert launcher.returncode == 1
    assert "2 of 3 runs done, 1 cancelled" in printed
    assert sweep.told("begin") == [0, 2]


def test_a_run_that_somebody_cancels_is_not_tried_again(sweep):
    sweep.write("sweep.yml", "CMD: bash train.sh\nHPARAMS: {n: 0}\n")
    sweep.trains(FOREVER)
    launcher = begun(sweep, "--retries", "3", count=1)
    (run,) = sweep.runs()
    write_order(run, CANCEL, 1)
    os.kill(events(run)[0]["pid"], signal.SIGTERM)
    printed = sweep.ended(launcher)
    assert "cancelled" in printed
    assert state_of(run) == "cancelled"
    assert not run.claim(2).exists()


class Terminal:
    """A terminal of its own, in which runx is called."""

    def __init__(self, sweep, *words):
        self.master, slave = pty.openpty()
        environment = {**sweep.environment, "TERM": "xterm", "COLUMNS": "200"}
        self.process = subprocess.Popen(
            ["runx", "sweep.yml", *words],
            cwd=sweep.path,
            env=environment,
            stdin=slave,
            stdout=slave,
            stderr=slave,
            start_new_session=True,
            preexec_fn=lambda: __import__("fcntl").ioctl(0, 0x540E, 0),  # TIOCSCTTY
        )
        os.close(slave)
        self.text = ""

    def read_until(self, word, seconds=60):
        deadline = time.monotonic() + seconds
        while word not in self.text:
            assert time.monotonic() < deadline, self.text
            self._more()

    def _more(self):
        if not select.select([self.master], [], [], 0.2)[0]:
            return True
        try:
            data = os.read(self.master, 65536)
        except OSError:
            return False
        self.text += data.decode()
        return bool(data)

    def type(self, text):
        os.write(self.master, text.encode())

    def ended(self):
        while self._more() and self.process.poll() is None:
            pass
        self._more()
        os.close(self.master)
        return self.process.wait(30)


def test_a_debugger_has_the_terminal_and_ctrl_c_is_its_own(sweep):
    sweep.write(
        "debug.py",
        "import time\ntry:\n    print('sleeps'); time.sleep(60)\n"
        "except KeyboardInterrupt:\n    print('caught')\nx = 41\nbreakpoint()\nprint('went on')\n",
    )
    sweep.write("sweep.yml", "CMD: python debug.py\nHPARAMS: {n: 0}\n")
    terminal = Terminal(sweep, "-i", "--attach")
    terminal.read_until("sleeps")
    terminal.type("\x03")
    terminal.read_until("(Pdb)")
    assert "caught" in terminal.text
    terminal.type("p x + 1\n")
    terminal.read_until("42")
    terminal.type("c\n")
    assert terminal.ended() == 0, terminal.text
    assert "went on" in terminal.text
    assert state_of(sweep.runs()[0]) == "done"


def test_an_attached_run_ended_by_ctrl_c_is_cancelled(sweep):
    sweep.write("sweep.yml", "CMD: echo begins; sleep 60; echo never\nHPARAMS: {}\n")
    terminal = Terminal(sweep, "-i", "--attach")
    terminal.read_until("begins\r")
    time.sleep(0.5)  # bash may lose a Ctrl-C that comes while it is just making sleep's process
    terminal.type("\x03")
    assert terminal.ended() == 1, terminal.text
    assert "\nnever" not in terminal.text
    assert state_of(sweep.runs()[0]) == "cancelled"


def test_attach_takes_a_single_run(sweep):
    printed = sweep.runx("-i", "--attach", status=2)
    assert "--attach takes a single run; 3 would start" in printed.splitlines()[-1]
    assert not sweep.runs()


def test_an_attached_run_heeds_term(sweep):
    sweep.write("sweep.yml", "CMD: bash train.sh\nHPARAMS: {n: 0}\n")
    sweep.trains(FOREVER)
    launcher = begun(sweep, "--attach", count=1)
    launcher.send_signal(signal.SIGTERM)
    sweep.ended(launcher)
    assert launcher.returncode == 130
    assert state_of(sweep.runs()[0]) == "cancelled"


def test_a_terminal_shows_progress_and_the_last_metrics(sweep):
    sweep.trains(
        "printf 'val,acc,0.75,epoch,3,timestamp,1600000000\\n' > ../metrics.csv; " + FOREVER
    )
    terminal = Terminal(sweep, "-i", "-j", "3")
    terminal.read_until("0/3 done, 3 running")
    terminal.read_until("ep 3 acc 0.75")
    (sweep.run(0).path / "go").touch()
    terminal.read_until("1/3 done, 2 running")
    for run in sweep.runs():
        (run.path / "go").touch()
    assert terminal.ended() == 0, terminal.text
    assert "3 runs done" in terminal.text


def test_ctrl_c_on_a_terminal_stops_the_runs_behind_it(sweep):
    sweep.trains(FOREVER)
    terminal = Terminal(sweep, "-i", "-j", "2")
    wait_until(lambda: len(sweep.told("begin")) == 2)
    terminal.type("\x03")
    assert terminal.ended() == 130, terminal.text
    assert sorted(sweep.states()) == ["cancelled", "cancelled", "planned"]


def test_cancel_ends_what_runs_and_calls_off_what_waits(sweep):
    sweep.trains(FOREVER)
    launcher = begun(sweep, "-j", "2", "--retries", "2")
    printed = sweep.command("cancel", "sweep")
    assert "3 of 3 runs cancelled" in printed
    printed = sweep.ended(launcher)
    assert launcher.returncode == 1
    assert "0 of 3 runs done, 3 cancelled" in printed
    assert sweep.states() == ["cancelled"] * 3
    assert len(sweep.told("begin")) == 2


def test_cancel_chooses_by_where_and_reaches_runs_whose_launcher_is_dead(sweep):
    sweep.trains(FOREVER)
    launcher = begun(sweep, "-j", "3", count=3)
    launcher.kill()
    launcher.wait()
    sweep.command("cancel", "sweep", "--where", "n > 0")
    wait_until(lambda: sweep.states() == ["running", "cancelled", "cancelled"])
    (sweep.run(0).path / "go").touch()
    wait_until(lambda: sweep.states()[0] == "done")
    assert "1 done, 2 cancelled: starting 2" in sweep.runx("-n", "-i", "--resume")

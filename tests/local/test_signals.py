import os
import signal
import subprocess
import sys

import pytest

from runx.local.signals import Interrupted, interruptible, stop_signals


def test_signals_are_received_in_their_order_and_then_as_before():
    before = signal.getsignal(signal.SIGTERM)
    with stop_signals() as signals:
        os.kill(os.getpid(), signal.SIGTERM)
        os.kill(os.getpid(), signal.SIGINT)
        signals.wait(30)
        assert list(signals.received) == [signal.SIGTERM, signal.SIGINT]
    assert signal.getsignal(signal.SIGTERM) is before


def test_the_end_of_a_child_wakes():
    with stop_signals() as signals:
        child = subprocess.Popen(["true"])
        while child.poll() is None:
            signals.wait(30)
        assert not signals.received


def test_what_is_ignored_is_not_received():
    with stop_signals((signal.SIGINT,)) as signals:
        os.kill(os.getpid(), signal.SIGINT)
        signals.wait(0.01)
        assert not signals.received


def test_what_this_process_ignores_it_goes_on_to_ignore_but_its_children_do_not():
    program = (
        "import os, signal, subprocess\n"
        "from runx.local.signals import stop_signals\n"
        "for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGHUP):\n"
        "    signal.signal(number, signal.SIG_IGN)\n"
        "with stop_signals() as signals:\n"
        "    os.kill(os.getpid(), signal.SIGHUP); os.kill(os.getpid(), signal.SIGINT)\n"
        "    for name in ('INT', 'QUIT', 'HUP'):\n"
        "        child = subprocess.run(['sh', '-c', f'kill -{name} $$; sleep 5; exit 3'])\n"
        "        print(child.returncode)\n"
        "    print(list(signals.received))\n"
        "print(signal.getsignal(signal.SIGINT) is signal.SIG_IGN)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout.split() == ["-2", "-3", "-1", "[]", "True"], done.stderr


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_whatever_stops_a_launch_interrupts_what_it_makes(number):
    # A shell starts what runs in its background with some of these ignored.
    before = signal.signal(number, signal.SIG_DFL)
    try:
        with pytest.raises(Interrupted, match="go on with: runx x"), interruptible("runx x"):
            os.kill(os.getpid(), number)
            signal.pause()
    finally:
        signal.signal(number, before)

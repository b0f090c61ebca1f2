import os
import signal
import subprocess
import sys

import pytest

from runx.launching.interrupts import Interrupted, interruptible, listening


def test_signals_are_heard_in_their_order_and_then_as_before():
    before = signal.getsignal(signal.SIGTERM)
    with listening() as ear:
        os.kill(os.getpid(), signal.SIGTERM)
        os.kill(os.getpid(), signal.SIGINT)
        ear.wait(30)
        assert list(ear.heard) == [signal.SIGTERM, signal.SIGINT]
    assert signal.getsignal(signal.SIGTERM) is before


def test_the_end_of_a_child_wakes():
    with listening() as ear:
        child = subprocess.Popen(["true"])
        while child.poll() is None:
            ear.wait(30)
        assert not ear.heard


def test_what_one_is_deaf_to_is_not_heard():
    with listening((signal.SIGINT,)) as ear:
        os.kill(os.getpid(), signal.SIGINT)
        ear.wait(0.01)
        assert not ear.heard


def test_what_this_process_ignores_it_goes_on_to_ignore_but_its_children_do_not():
    program = (
        "import os, signal, subprocess\n"
        "from runx.launching.interrupts import listening\n"
        "for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGHUP):\n"
        "    signal.signal(number, signal.SIG_IGN)\n"
        "with listening() as ear:\n"
        "    os.kill(os.getpid(), signal.SIGHUP); os.kill(os.getpid(), signal.SIGINT)\n"
        "    for name in ('INT', 'QUIT', 'HUP'):\n"
        "        child = subprocess.run(['sh', '-c', f'kill -{name} $$; sleep 5; exit 3'])\n"
        "        print(child.returncode)\n"
        "    print(list(ear.heard))\n"
        "print(signal.getsignal(signal.SIGINT) is signal.SIG_IGN)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout.split() == ["-2", "-3", "-1", "[]", "True"], done.stderr


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_whatever_stops_a_launch_interrupts_what_it_makes(number):
    with pytest.raises(Interrupted, match="go on with: runx x"), interruptible("runx x"):
        os.kill(os.getpid(), number)
        signal.pause()

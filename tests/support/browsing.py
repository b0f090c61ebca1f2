"""A real Chromium, and sweeps that really ran for it to show."""

import contextlib
import json
import shutil
import subprocess
import sys
import tempfile
from urllib.parse import urlparse

import pytest

CHROMIUM = shutil.which("chromium")
DRIVER = shutil.which("chromedriver")
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--force-prefers-reduced-motion",
)

TRAIN = """
import argparse, math, random, struct, zlib
from runx.logx import logx

parser = argparse.ArgumentParser()
parser.add_argument("--lr", type=float)
parser.add_argument("--optimizer")
parser.add_argument("--seed", type=int, default=0)
parser.add_argument("--note", default="")
parser.add_argument("--epochs", type=int, default=20)
parser.add_argument("--logdir")
args = parser.parse_args()

def png(size, shade):
    def part(kind, data):
        body = kind + data
        return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))
    head = struct.pack(">IIBBBBB", size, size, 8, 0, 0, 0, 0)
    rows = b"".join(b"\\0" + bytes(shade(x, y) for x in range(size)) for y in range(size))
    parts = part(b"IHDR", head) + part(b"IDAT", zlib.compress(rows)) + part(b"IEND", b"")
    return b"\\x89PNG\\r\\n\\x1a\\n" + parts

dice = random.Random(args.seed)
pace = {"sgd": 6.0, "adam": 3.0}[args.optimizer]
top = 97 - 5 * abs(math.log10(args.lr / 0.01)) ** 2 - (1.5 if args.optimizer == "sgd" else 0)
logx.initialize(logdir=args.logdir)
for epoch in range(args.epochs):
    done = 1 - math.exp(-(epoch + 1) / pace * min(args.lr / 0.003, 1.5))
    for phase, more in (("train", 1.5), ("val", 0)):
        accuracy = 10 + (top - 10) * done + more + dice.gauss(0, 0.8)
        loss = 2.3 * (1 - done) + (100 - top) / 40 - more / 20 + dice.gauss(0, 0.02)
        logx.metric(phase, {"accuracy": round(accuracy, 2), "loss": round(abs(loss), 4)}, epoch)
    logx.msg(f"epoch {epoch}: accuracy {accuracy:.2f}%")
    if args.lr > 0.09 and args.optimizer == "adam" and args.seed == 1 and epoch == 8:
        raise FloatingPointError("the loss is not a number")
logx.artifact(png(16, lambda x, y: (x * y * 3 + 20 * args.seed) % 256), name="weights.png")
"""
SWEEP = """
CMD: {python} train.py

TITLE: Which learning rate, with which optimizer?

HPARAMS:
  lr: [0.001, 0.003, 0.01, 0.03, 0.1]
  optimizer: [sgd, adam]
  seed: [0, 1]
  logdir: LOGDIR
"""
LATER = """
CMD: {python} train.py

EXP_NAME: digits

HPARAMS:
  lr: 0.05
  optimizer: adam
  seed: 0
  logdir: LOGDIR
"""
ABLATED = """
CMD: {python} train.py

HPARAMS:
  lr: 0.01
  epochs: 3
  seed: [0, 1]
  RUNX.ABLATE: {optimizer: [sgd, adam]}
  logdir: LOGDIR
"""
WILD = """
CMD: {python} train.py

HPARAMS:
  lr: 0.01
  optimizer: sgd
  epochs: 3
  note:
    - '<img src=x onerror=alert(1)>'
    - '"></script><script>document.title="taken"</script>'
    - "it's"
  logdir: LOGDIR
  RUNX.TAG: '<b>{note}</b>'
"""


def run_sweeps(folder, env):
    """Run the sweeps in a folder; the last run of ``digits`` has other code."""
    (folder / "train.py").write_text(TRAIN)
    sweeps = {"digits": SWEEP, "later": LATER, "wild": WILD, "ablated": ABLATED}
    for name, text in sweeps.items():
        (folder / f"{name}.yml").write_text(text.replace("{python}", sys.executable))
    run_command("runx digits.yml -i", folder, env, fails=True)
    (folder / "train.py").write_text(TRAIN.replace('"adam": 3.0', '"adam": 2.5'))
    run_command("runx later.yml -i", folder, env)
    run_command("runx wild.yml -i", folder, env)
    run_command("runx ablated.yml -i", folder, env)
    return folder


def run_command(command, folder, env, fails=False):
    """Run a command, which must succeed or, with ``fails``, fail; return its output."""
    done = subprocess.run(
        ["bash", "-c", command], cwd=folder, env=env, capture_output=True, text=True, timeout=300
    )
    assert bool(done.returncode) == fails, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout


@contextlib.contextmanager
def chromium(width=1400, height=1000):
    """Start a browser that logs its console and requests; it downloads to a folder of its own."""
    webdriver = pytest.importorskip("selenium.webdriver", reason="selenium is not installed")
    if not CHROMIUM or not DRIVER:
        pytest.skip("chromium and chromedriver are not installed")
    from selenium.webdriver.chrome.service import Service

    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    with tempfile.TemporaryDirectory(prefix="runx-chromium-", ignore_cleanup_errors=True) as home:
        for flag in (*FLAGS, f"--user-data-dir={home}", f"--window-size={width},{height}"):
            options.add_argument(flag)
        driver = webdriver.Chrome(options=options, service=Service(DRIVER))
        try:
            driver.execute_cdp_cmd(
                "Browser.setDownloadBehavior", {"behavior": "allow", "downloadPath": home}
            )
            driver.downloads = home
            yield driver
        finally:
            driver.quit()


def complaints(driver):
    """Return the warnings and errors in the browser's console."""
    return [entry["message"] for entry in driver.get_log("browser") if entry["level"] != "INFO"]


def hosts_asked(driver):
    """Return the hosts that the page has sent requests to, by any protocol."""
    hosts = set()
    for entry in driver.get_log("performance"):
        message = json.loads(entry["message"])["message"]
        if message["method"] == "Network.requestWillBeSent":
            address = urlparse(message["params"]["request"]["url"])
            if address.scheme not in ("data", "blob", "file", "about", "chrome"):
                hosts.add(address.hostname)
    return hosts

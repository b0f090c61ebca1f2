"""Open a page in Chromium, and print the time to its first contentful paint."""

import json
import shutil
import sys
from pathlib import Path

from selenium.webdriver import Chrome, ChromeOptions, ChromeService
from selenium.webdriver.support.ui import WebDriverWait

FLAGS = """
--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-sync
--disable-background-networking --disable-component-update
"""
PAINT = "return performance.getEntriesByName('first-contentful-paint').map(one => one.startTime)"

options = ChromeOptions()
for flag in FLAGS.split():
    options.add_argument(flag)
browser = Chrome(options, ChromeService(shutil.which("chromedriver")))
try:
    browser.get(Path(sys.argv[1]).absolute().as_uri())
    [milliseconds] = WebDriverWait(browser, 60).until(lambda it: it.execute_script(PAINT))
finally:
    browser.quit()
print(json.dumps({"seconds": milliseconds / 1000}))

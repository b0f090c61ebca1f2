"""The report in a browser: what a person sees in it and does with it."""

import contextlib
import time

WAIT = 20


class Page:
    """A report in the browser."""

    def __init__(self, driver, file, view=""):
        self.driver = driver
        driver.get("about:blank")
        driver.get(f"{file.as_uri()}#{view}")
        self.until(lambda: self.all("tbody tr"))

    def all(self, selector):
        return self.driver.find_elements("css selector", selector)

    def one(self, selector):
        return self.driver.find_element("css selector", selector)

    def js(self, code, *arguments):
        return self.driver.execute_script(code, *arguments)

    def until(self, condition):
        """Wait for a condition, and return its value; an element may still be missing."""
        from selenium.common.exceptions import NoSuchElementException

        end = time.monotonic() + WAIT
        while time.monotonic() < end:
            with contextlib.suppress(NoSuchElementException):
                if value := condition():
                    return value
            time.sleep(0.05)
        raise AssertionError(f"not true within {WAIT} s")

    def settle(self, act):
        """Call a function and wait until the page has been drawn again."""
        before = self.js("return document.documentElement.dataset.drawn")
        act()
        self.until(lambda: self.js("return document.documentElement.dataset.drawn") != before)

    def column(self, heading):
        return self.js(
            """
            const heads = [...document.querySelectorAll('.runs thead th')];
            const at = heads.findIndex((head) => head.textContent.trim() === arguments[0]);
            const rows = [...document.querySelectorAll('.runs tbody tr')];
            return rows.map((row) => row.children[at].firstChild?.textContent ?? '');
            """,
            heading,
        )

    def rows(self):
        return self.js(
            "return [...document.querySelectorAll('.runs tbody tr')].map((row) => row.dataset.run)"
        )

    def lines(self, metric):
        return int(self.one(f'[data-metric="{metric}"]').get_attribute("data-lines"))

    def click(self, selector):
        self.settle(lambda: self.js("document.querySelector(arguments[0]).click()", selector))

    def type(self, text):
        box = self.one(".filter input")
        self.settle(
            lambda: self.js(
                "arguments[0].value = arguments[1]; arguments[0].dispatchEvent(new Event('input'))",
                box,
                text,
            )
        )

    def choose(self, label, value):
        self.settle(
            lambda: self.js(
                """
            const field = [...document.querySelectorAll('label.field')]
              .find((one) => one.querySelector('span').textContent === arguments[0]);
            const list = field.querySelector('select');
            list.value = arguments[1];
            list.dispatchEvent(new Event('change'));
            """,
                label,
                value,
            )
        )

    def pointer(self, kind, element, x, y):
        """Move, press or release a real pointer at a place of an element."""
        box = self.js(
            "const b = arguments[0].getBoundingClientRect(); return [b.left, b.top]", element
        )
        event = {"type": kind, "x": box[0] + x, "y": box[1] + y, "button": "left", "clickCount": 1}
        event["buttons"] = 1 if kind != "mouseReleased" else 0
        if kind == "mouseMoved":
            event["button"] = "none"
        self.driver.execute_cdp_cmd("Input.dispatchMouseEvent", event)

    def drag(self, element, start, end):
        self.js("arguments[0].scrollIntoView({block: 'center'})", element)
        self.pointer("mouseMoved", element, *start)
        self.pointer("mousePressed", element, *start)
        for share in (0.3, 0.6, 1):
            at = [a + (b - a) * share for a, b in zip(start, end, strict=True)]
            event_at = {"type": "mouseMoved", "button": "left", "buttons": 1}
            box = self.js(
                "const b = arguments[0].getBoundingClientRect(); return [b.left, b.top]", element
            )
            event_at.update(x=box[0] + at[0], y=box[1] + at[1])
            self.driver.execute_cdp_cmd("Input.dispatchMouseEvent", event_at)
        self.settle(lambda: self.pointer("mouseReleased", element, *end))

"""Takes the pictures of the READMEs from a running demo: `.venv/bin/python docs/screenshots/take.py [address]`.

Needs `make dev` and a Chromium. The demo must be fresh, for the pictures show what its people begin with. Nothing is
submitted: the pages are only looked at, and one record is opened at the window.
"""

import base64
import os
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import django
from playwright.sync_api import Browser, Page, sync_playwright

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1]))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings.test")
django.setup()

from portal.seeding.cast import FATHER, MEMBER, ORDERS, WIFE  # noqa: E402
from portal.seeding.staff import PASSWORD  # noqa: E402
from tests.chromium import ADVICE, find  # noqa: E402

SIZES = {"desktop": (1280, 1), "phone": (360, 2)}
# Enough of a long page to see what it is; the rest is for the page itself.
TALLEST = {"desktop": 1800, "phone": 2000}
MOST_BYTES = 150_000
QUALITIES = (80, 65, 50, 35)


def main(address: str) -> None:
    chromium = find()
    if not chromium:
        sys.exit(ADVICE)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"] if not os.getuid() else [])
        for login, pages in TOUR.items():
            with visit(browser, address, "desktop") as page:
                log_in(page, login)
                # A second factor's code works once: the other size goes on with the same session.
                session = page.context.storage_state()
            for size in SIZES:
                with visit(browser, address, size, session) as page:
                    for name, go in pages:
                        go(page)
                        keep(page, name, size)
        browser.close()


@contextmanager
def visit(browser: Browser, address: str, size: str, session: Any = None) -> Iterator[Page]:
    """A page in the width of the size: light colours, Chinese, logged in where a session is given."""
    width, scale = SIZES[size]
    context = browser.new_context(
        base_url=address,
        storage_state=session,
        viewport={"width": width, "height": 800},
        device_scale_factor=scale,
        locale="zh-CN",
        timezone_id="Asia/Shanghai",
        color_scheme="light",
        reduced_motion="reduce",
    )
    yield context.new_page()
    context.close()


def log_in(page: Page, login: str) -> None:
    """With the password, and for staff with the code of the demo page."""
    page.goto("/login/")
    page.fill("input[name=login]", login)
    page.fill("input[name=password]", PASSWORD)
    page.click(".portal-deep button[type=submit]")
    if page.locator("input[name=code]").count():
        codes = page.context.new_page()
        codes.goto("/demo/")
        row = codes.locator("li", has=codes.get_by_text(re.compile(rf"^\s*{login}\b")))
        code = row.locator(".portal-money").inner_text()
        codes.close()
        page.fill("input[name=code]", code)
        page.click("main button[type=submit]")
    page.wait_for_url(lambda url: "login" not in url and "authenticate" not in url)


def home(page: Page) -> None:
    page.goto("/")


def bill_with_family(page: Page) -> None:
    """The newest bill that fund, own account, a relative and cash paid together: four payers and the sum."""
    page.goto("/settlements/")
    for href in [link.get_attribute("href") for link in page.locator("main a").all()]:
        if not re.search(r"/settlements/[0-9a-f-]{36}/", href or ""):
            continue
        page.goto(href)
        if page.locator("main .portal-payers li").count() == 5 and page.locator("main .portal-money--family").count():
            return
    raise SystemExit("No bill that four paid together. Is this a fresh demo?")


def bind_check(page: Page) -> None:
    """The dry run: could his wife use his account today?"""
    page.goto("/family/bind/")
    page.fill("input[name=name]", WIFE[0])
    page.fill("input[name=id_number]", WIFE[1])
    page.check("input[name=relation][value=spouse]")
    page.click("main form button.govuk-button")
    page.wait_for_url("**/bind/result/**")


def order(page: Page) -> None:
    page.goto("/family/order/")


def window(page: Page) -> None:
    page.goto("/counter/")
    if page.locator("input[name=number]").count():
        page.fill("input[name=number]", FATHER[1])
        page.select_option("select[name=reason]", "sharing")
        page.click("main form button.govuk-button")
        page.wait_for_load_state()


def rollover(page: Page) -> None:
    page.goto("/admin/settlements/rolloverrun/")
    page.locator("#result_list tbody tr", has_text="上海").locator("a").first.click()
    page.wait_for_load_state()


TOUR: dict[str, list[tuple[str, Callable[[Page], None]]]] = {
    MEMBER[1]: [("home", home), ("bind-check", bind_check)],
    ORDERS[1]: [("settlement", bill_with_family), ("order", order)],
    "w3101": [("window", window)],
    "r0001": [("rollover", rollover)],
}


def keep(page: Page, name: str, size: str) -> None:
    """Write the page as WebP, in the best quality that stays below the limit."""
    page.evaluate("document.fonts.ready")
    width, _scale = SIZES[size]
    height = min(page.evaluate("document.documentElement.scrollHeight"), TALLEST[size])
    devtools = page.context.new_cdp_session(page)
    for quality in QUALITIES:
        asked = {
            "format": "webp",
            "quality": quality,
            "captureBeyondViewport": True,
            "clip": {"x": 0, "y": 0, "width": width, "height": height, "scale": 1},
        }
        picture = base64.b64decode(devtools.send("Page.captureScreenshot", asked)["data"])
        if len(picture) < MOST_BYTES:
            break
    else:
        raise SystemExit(f"{name}: {len(picture)} bytes even at quality {quality}")
    (HERE / f"{name}-{size}.webp").write_bytes(picture)
    print(f"{name}-{size}.webp {width}x{height} {len(picture)} bytes, quality {quality}")


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "http://localhost:8000")

"""A real browser on a real server, on committed data. The files name one group, so that no two browsers compete."""

from collections.abc import Callable, Iterator

import pytest
from django.conf import settings
from django.core.cache import cache
from django.test import Client
from playwright.sync_api import Browser, BrowserContext, expect, sync_playwright

from accounts.models import User
from settlements.actions.regions import load, region_files
from tests import chromium as machine
from tests.e2e.eyes import NARROW, Window, words
from tests.settlements.scene import SHANGHAI, Scene, make_scene
from tests.support.pages import log_in

# Milliseconds: beside the rest of the suite, on few cores.
PATIENCE = 30_000
expect.set_options(timeout=PATIENCE)
WIDE = {"width": 1280, "height": 900}


@pytest.fixture(scope="package")
def chromium() -> Iterator[Browser]:
    """The machine's Chromium; without one the browser tests fail and say what to do."""
    path = machine.find()
    assert path, machine.ADVICE
    with pytest.MonkeyPatch.context() as patch, sync_playwright() as playwright:
        # Playwright keeps a loop running in this thread, which Django takes for asynchronous code.
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
        browser = playwright.chromium.launch(
            executable_path=path, args=["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"]
        )
        yield browser
        browser.close()


@pytest.fixture
def live(live_server) -> Iterator[str]:
    """The address of the server, with an empty Redis."""
    cache.clear()
    load([path for path in region_files() if path.stem.startswith(SHANGHAI)])
    yield live_server.url
    cache.clear()


@pytest.fixture
def visit(chromium: Browser, live: str) -> Iterator[Callable[..., Window]]:
    """Open a window for somebody: a login, a test client that holds a session, or nobody (`None`)."""
    contexts: list[BrowserContext] = []

    def open_window(
        who: User | Client | None = None,
        *,
        language: str = "zh-hans",
        wide: bool = False,
        elder: bool = False,
        script: bool = True,
    ) -> Window:
        context = chromium.new_context(
            viewport=WIDE if wide else NARROW,
            locale="en-GB" if language == "en" else "zh-CN",
            timezone_id="Asia/Shanghai",
            java_script_enabled=script,
            reduced_motion="reduce",
        )
        contexts.append(context)
        context.set_default_timeout(PATIENCE)
        if elder:
            context.add_cookies([{"name": "portal_elder", "value": "1", "url": live}])
        client = log_in(who) if isinstance(who, User) else who
        if client is not None:
            name = settings.SESSION_COOKIE_NAME
            context.add_cookies([{"name": name, "value": client.cookies[name].value, "url": live}])
        return Window(context.new_page(), live, words(language))

    yield open_window
    for context in contexts:
        context.close()


@pytest.fixture
def scene(live: str) -> Scene:
    """The family with money of `tests.settlements.scene`, by the rules of Shanghai."""
    return make_scene()

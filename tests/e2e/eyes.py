"""How the tests see a page: axe-core, what the browser complains of, and whether anything sticks out sideways."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from django.conf import settings
from django.utils.translation import gettext, override
from playwright.sync_api import ConsoleMessage, Download, Locator, Page, Response

NARROW = {"width": 360, "height": 740}
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
AXE = """async (tags) => {
  const found = await axe.run(document, {runOnly: {type: "tag", values: tags}, resultTypes: ["violations"]});
  return found.violations.map((one) => one.id + ": " + one.nodes.map((node) => node.target.join(" ")).join(", "));
}"""
# A wide table may scroll in a box of its own; the page may not.
STICKS_OUT = """() => {
  const wide = document.documentElement.clientWidth;
  if (document.documentElement.scrollWidth <= wide && document.body.scrollWidth <= wide) return [];
  const boxed = (one) =>
    one && one !== document.body && (getComputedStyle(one).overflowX !== "visible" || boxed(one.parentElement));
  return [...document.body.querySelectorAll("*")]
    .filter((one) => one.getBoundingClientRect().right > wide + 0.5 && !boxed(one.parentElement))
    .map((one) => one.tagName + "." + one.className + " " + one.textContent.trim().slice(0, 30)).slice(0, 5);
}"""


@cache
def axe() -> str:
    """The script of axe-core, built with the other assets."""
    return (Path(settings.BASE_DIR) / "static" / "build" / "test" / "axe.min.js").read_text(encoding="utf-8")


def words(language: str) -> Callable[[str], str]:
    """The texts of a language by their English message ids, as its reader has them on the screen."""

    def said(text: str, **facts: object) -> str:
        with override(language):
            return gettext(text) % facts if facts else gettext(text)

    return said


@dataclass
class Window:
    """A person's browser window, with what the browser complained of since the last look."""

    page: Page
    base: str
    said: Callable[..., str]
    complaints: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.on("console", self._heard)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("response", self._answered)

    def _heard(self, message: ConsoleMessage) -> None:
        # What was not found or refused is told by `_answered`, which knows the address.
        if message.type == "error" and not message.text.startswith("Failed to load resource"):
            self.complaints.append(message.text)

    def _answered(self, response: Response) -> None:
        # 422 is how a form with a mistake, or a refusal, is answered.
        if response.status >= 400 and response.status != 422:
            self.complaints.append(f"{response.status} {response.url}")

    def go(self, path: str) -> None:
        """Open an address of the portal."""
        self.page.goto(self.base + path)

    def button(self, text: str, **facts: object) -> Locator:
        """A button by its message id."""
        return self.page.get_by_role("button", name=self.said(text, **facts))

    def link(self, text: str, **facts: object) -> Locator:
        """A link by its message id."""
        return self.page.get_by_role("link", name=self.said(text, **facts))

    def follow(self, locator: Locator) -> None:
        """Click what leads to another page, and wait for that page."""
        with self.page.expect_navigation():
            locator.click()

    def fill(self, **boxes: str) -> None:
        """Type into boxes by the names of their fields."""
        for name, value in boxes.items():
            self.page.fill(f"main [name={name}]", value)

    def text(self) -> str:
        """What can be read on the page."""
        return self.page.inner_text("main")

    def download(self, button: Locator) -> Download:
        """Press a button that gives a file."""
        with self.page.expect_download() as waiting:
            button.click()
        return waiting.value

    def look(self) -> None:
        """No fault that axe finds, nothing sticking out on a narrow screen, no complaint of the browser."""
        faults = self.faults()
        assert not faults, f"{self.page.url}: {json.dumps(faults, ensure_ascii=False, indent=1)}"

    def faults(self) -> list[str]:
        """The same as a list, empty if all is well."""
        page, size = self.page, self.page.viewport_size
        page.evaluate(axe())
        found = [f"axe {one}" for one in page.evaluate(AXE, RULES)]
        if size != NARROW:
            page.set_viewport_size(NARROW)
        found += [f"sticks out: {one}" for one in page.evaluate(STICKS_OUT)]
        if size and size != NARROW:
            page.set_viewport_size(size)
        found += [f"browser: {one}" for one in self.complaints]
        self.complaints.clear()
        return found

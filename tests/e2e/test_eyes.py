"""The eyes themselves: a look that sees nothing would pass every page."""

import pytest

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]


@pytest.fixture
def window(visit):
    window = visit()
    window.go("/")
    assert window.faults() == []
    return window


@pytest.mark.parametrize(
    ("script", "seen"),
    [
        ("document.querySelector('main').insertAdjacentHTML('beforeend', '<img src=\"/static/img/icon.svg\">')", "axe"),
        ("document.querySelector('main p').style.color = '#eee'", "axe color-contrast"),
        ("document.querySelector('main p').style.width = '500px'", "sticks out"),
        ("console.error('odd')", "browser: odd"),
        ("setTimeout(() => { throw new Error('fell over') })", "browser: fell over"),
        ("document.querySelector('main').insertAdjacentHTML('beforeend', '<p style=\"top: 0\">x</p>')", "browser: "),
        ("await fetch('/static/nothing.js')", "browser: 404"),
        ("fetch('https://example.org/').catch(() => 0)", "Content Security Policy"),
    ],
)
def test_a_fault_is_seen(window, script, seen) -> None:
    window.page.evaluate(f"async () => {{ {script} }}")
    # What the browser says of it comes a moment later, on a busy machine much later.
    for _ in range(50):
        found = [one for one in window.faults() if seen in one]
        if found:
            break
        window.page.wait_for_timeout(100)
    assert found


def test_large_print_and_language_are_what_was_asked_for(visit) -> None:
    window = visit(language="en", elder=True)
    window.go("/")
    assert window.page.locator("html.elder[lang=en]").count() == 1
    assert window.link("Log in").first.is_visible()

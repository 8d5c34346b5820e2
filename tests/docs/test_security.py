"""docs/security.md names tests that exist and every statement once; and what it says of packages and secrets is so."""

import re
from pathlib import Path

from tests.docs.test_docs import ROOT, tracked

PAGE = ROOT / "docs" / "security.md"
STATEMENTS = {"A": 11, "S": 6, "Z": 9, "B": 8, "L": 6, "D": 10, "U": 5, "W": 13}
# What keys look like that must not be published: private keys, cloud keys, tokens.
SECRET = re.compile(
    r"-----BEGIN [A-Z ]*PRIVATE KEY-----|AKIA[0-9A-Z]{16}|gh[pousr]_[A-Za-z0-9]{36}|xox[bap]-[0-9A-Za-z-]{20}"
)


def test_each_statement_stands_once() -> None:
    told = [one for row in re.findall(r"^\| ([A-Z]\d[^|]*) \|", PAGE.read_text(), re.M) for one in row.split(", ")]
    assert sorted(told) == sorted(f"{letter}{n}" for letter, most in STATEMENTS.items() for n in range(1, most + 1))
    assert len(told) == 68


def test_each_named_test_exists() -> None:
    named = re.findall(r"`([\w/]+\.py)::(\w+)`", PAGE.read_text())
    assert len(named) > 60
    gone = [
        (file, name)
        for file, name in named
        if not re.search(rf"^\s*(def|class) {name}\b", (ROOT / "tests" / file).read_text(), re.M)
    ]
    assert gone == []


def test_every_package_is_pinned_by_its_hash() -> None:
    """W10: and none comes from a place of its own."""
    for file in (ROOT / "requirements").glob("*.txt"):
        text = file.read_text()
        packages = re.split(r"^(?=[a-z0-9])", text, flags=re.M | re.I)[1:]
        assert len(packages) > 20
        assert [one.split()[0] for one in packages if "==" not in one.split()[0] or "--hash=sha256:" not in one] == []
        assert "://" not in re.sub(r"#.*", "", text) and "index" not in re.sub(r"#.*", "", text)


def test_no_secret_is_in_the_repository() -> None:
    texts = [
        file for file in tracked() if file.suffix not in (".webp", ".woff2", ".mo", ".png") and file != Path(__file__)
    ]
    assert len(texts) > 500
    assert [str(file) for file in texts if SECRET.search(file.read_text(errors="replace"))] == []

"""Message catalogues without gettext's programs, which a bare machine does not have: Babel reads, merges and compiles.

Message ids are English. The catalogue of Simplified Chinese must be whole; a test holds it through `gaps`.
"""

from __future__ import annotations

import io
import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # reading and writing catalogues is rare, and Babel takes a while to import
    from babel.messages.catalog import Catalog

PROJECT = Path(__file__).resolve().parents[2]
CATALOGUE = PROJECT / "locale" / "zh_Hans" / "LC_MESSAGES" / "django.po"
APPS = ("accounts", "casework", "documents", "family", "settlements", "counter", "gateway", "portal")
KEYWORDS = {
    "_": None,
    "gettext": None,
    "gettext_lazy": None,
    "gettext_noop": None,
    "ngettext": (1, 2),
    "ngettext_lazy": (1, 2),
    "pgettext": ((1, "c"), 2),
    "pgettext_lazy": ((1, "c"), 2),
    "npgettext": ((1, "c"), 2, 3),
    "npgettext_lazy": ((1, "c"), 2, 3),
}
# Header lines with a date or an invitation to fill something in: they would change, or lie, with every update.
NOISE = tuple(
    f'"{name}:'.encode()
    for name in ("Project-Id-Version", "Report-Msgid-Bugs-To", "POT-Creation-Date", "PO-Revision-Date")
    + ("Last-Translator", "Language-Team", "Generated-By")
)
Key = tuple[str | None, str]  # context, message id


def compile_stale(project: Path = PROJECT) -> list[Path]:
    """Compile each catalogue newer than what was compiled from it, and return those; fuzzy messages stay out."""
    made = []
    for po in sorted(project.glob("locale/*/LC_MESSAGES/django.po")):
        mo = po.with_suffix(".mo")
        if not mo.exists() or mo.stat().st_mtime_ns < po.stat().st_mtime_ns:
            _compile(po, mo)
            made.append(po)
    return made


def _compile(po: Path, mo: Path) -> None:
    """Written beside and renamed: a web process that starts meanwhile reads the old catalogue or the new one."""
    from babel.messages.mofile import write_mo
    from babel.messages.pofile import read_po

    with po.open("rb") as file:
        catalogue = read_po(file)
    half = mo.with_suffix(f".{os.getpid()}")
    with half.open("wb") as out:
        write_mo(out, catalogue)
    half.replace(mo)


@dataclass
class Gaps:
    """What keeps the catalogue from being whole."""

    missing: list[str] = field(default_factory=list)
    untranslated: list[str] = field(default_factory=list)
    fuzzy: list[str] = field(default_factory=list)
    unused: list[str] = field(default_factory=list)
    placeholders: list[str] = field(default_factory=list)

    def __bool__(self) -> bool:
        return any((self.missing, self.untranslated, self.fuzzy, self.unused, self.placeholders))


def gaps(catalogue: Path = CATALOGUE) -> Gaps:
    """Compare the catalogue with what the code and the templates say."""
    known = _read(catalogue)
    used = set(messages())
    found = Gaps()
    entries: dict[Key, object] = {}
    for message in known:
        if not message.id:
            continue
        key = (message.context, _singular(message.id))
        entries[key] = message
        strings = (message.string,) if isinstance(message.string, str) else tuple(message.string or ())
        if key not in used:
            found.unused.append(key[1])
        if message.fuzzy:
            found.fuzzy.append(key[1])
        if not strings or not all(strings):
            found.untranslated.append(key[1])
        elif any(_placeholders(text) != _placeholders(key[1]) for text in strings):
            found.placeholders.append(key[1])
    found.missing = sorted(text for context, text in used if (context, text) not in entries)
    return found


def _read(catalogue: Path) -> Catalog:
    """The catalogue of a file, empty while there is none."""
    from babel.messages.catalog import Catalog
    from babel.messages.pofile import read_po

    if not catalogue.exists():
        return Catalog(locale="zh_Hans")
    with catalogue.open("rb") as file:
        return read_po(file, locale="zh_Hans")


def _placeholders(text: str) -> set[str]:
    """The names in %(name)s and {name}: a translation that misspells one fails when somebody reads the page."""
    return set(re.findall(r"%\((\w+)\)[sd]", text)) | set(re.findall(r"\{(\w*)\}", text))


def messages(project: Path = PROJECT) -> Iterator[Key]:
    """Every message id in the apps' Python and in the templates, with its context."""
    for path in _sources(project):
        source = path.read_text()
        if path.suffix != ".py":
            from django.utils.translation.template import templatize

            source = templatize(source)
        yield from _extract(source)


def _sources(project: Path) -> Iterator[Path]:
    for app in APPS:
        yield from sorted((project / app).rglob("*.py"))
    for folder in (project / "templates", *(project / app / "templates" for app in APPS)):
        yield from sorted(path for path in folder.rglob("*") if path.suffix in (".html", ".txt"))


def _extract(source: str) -> Iterator[Key]:
    from babel.messages.extract import extract

    for _line, found, _comments, context in extract("python", io.BytesIO(source.encode()), KEYWORDS):
        text = _singular(found)
        if text:
            yield context, text


def _singular(found: str | Iterable[str]) -> str:
    return found if isinstance(found, str) else next(iter(found))


def update(tables: list[Path], catalogue: Path = CATALOGUE) -> dict[str, int]:
    """Take new messages from the code, translations from tab-separated tables (message id, translation; \\n for a new
    line), drop what nothing uses any more, and write the catalogue sorted by message id. Returns counts."""
    from babel.messages.catalog import Catalog
    from babel.messages.pofile import write_po

    old = _read(catalogue)
    given = dict(row for table in tables for row in _rows(table))
    comment = "# Simplified Chinese of the pages. Kept in order by manage.py update_translations."
    new = Catalog(locale="zh_Hans", header_comment=comment, fuzzy=False, charset="utf-8")
    for context, text in sorted(set(messages()), key=lambda key: (key[1], key[0] or "")):
        before = old.get(text, context)
        flags = {"fuzzy"} if before and before.fuzzy and text not in given else set()
        string = given.get(text) or (before.string if before else "")
        new.add(before.id if before else text, string, context=context, flags=flags | _format_flags(text))
    catalogue.parent.mkdir(parents=True, exist_ok=True)
    out = io.BytesIO()
    write_po(out, new, width=110, sort_output=True)
    half = catalogue.with_suffix(".po.new")
    half.write_bytes(b"".join(line for line in out.getvalue().splitlines(True) if not line.startswith(NOISE)))
    half.replace(catalogue)
    unused = sorted(set(given) - {message.id for message in new if isinstance(message.id, str)})
    return {"messages": len(new), "translated": sum(1 for m in new if m.id and m.string), "unused rows": len(unused)}


def _rows(table: Path) -> Iterator[tuple[str, str]]:
    for number, line in enumerate(table.read_text().splitlines(), 1):
        if not line.strip():
            continue
        msgid, tab, msgstr = line.partition("\t")
        if not tab or not msgstr.strip():
            raise ValueError(f"{table}:{number}: not 'message id<TAB>translation': {line!r}")
        # Blanks at the ends are meant where the message id has them too.
        text = msgstr if msgid != msgid.strip() else msgstr.strip()
        yield msgid.replace("\\n", "\n"), text.replace("\\n", "\n")


def _format_flags(text: str) -> set[str]:
    return {"python-format"} if "%(" in text else set()

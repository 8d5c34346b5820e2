"""Catalogues are read, merged and compiled without gettext's programs."""

import ast
import gettext
import os
from pathlib import Path

import pytest
from django.utils import translation

from accounts.enums import EnrolmentStatus
from portal.services import translations
from settlements.enums import AccountStatus, RunState

ROOT = Path(__file__).resolve().parents[2]
HEADER = 'msgid ""\nmsgstr ""\n"Language: zh_Hans\\n"\n"Content-Type: text/plain; charset=utf-8\\n"\n\n'


@pytest.fixture
def catalogue(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A catalogue for a product that says three things."""
    said = [(None, "Balance"), (None, "%(name)s shares"), (None, "Two\nlines")]
    monkeypatch.setattr(translations, "messages", lambda: iter(said))
    path = tmp_path / "locale" / "zh_Hans" / "LC_MESSAGES" / "django.po"
    path.parent.mkdir(parents=True)
    return path


def test_messages_are_found_in_python_and_in_templates(tmp_path: Path) -> None:
    (tmp_path / "accounts").mkdir()
    (tmp_path / "accounts" / "views.py").write_text('x = _("From code")\ny = pgettext("month", "May")\n')
    (tmp_path / "templates").mkdir()
    (tmp_path / "templates" / "page.html").write_text(
        "{% load i18n %}{% translate 'From a tag' %}"
        "{% blocktranslate trimmed with name=member.name %}\n  {{ name }}\n  shares\n{% endblocktranslate %}"
    )
    found = set(translations.messages(tmp_path))
    assert found == {(None, "From code"), ("month", "May"), (None, "From a tag"), (None, "%(name)s shares")}


def test_no_message_hides_inside_an_f_string() -> None:
    """They are not found there, so that a Chinese page would show the English, and no check would miss a translation."""
    hidden = [
        f"{path.relative_to(ROOT)}:{call.lineno}"
        for app in ("accounts", "casework", "counter", "documents", "family", "gateway", "portal", "settlements")
        for path in (ROOT / app).rglob("*.py")
        for text in ast.walk(ast.parse(path.read_text()))
        if isinstance(text, ast.JoinedStr)
        for call in ast.walk(text)
        if isinstance(call, ast.Call)
        and isinstance(call.func, ast.Name)
        and call.func.id in ("_", "gettext", "gettext_lazy", "pgettext", "ngettext")
    ]
    assert not hidden


def test_a_whole_catalogue_has_no_gaps(catalogue: Path) -> None:
    table = catalogue.parent / "new.tsv"
    table.write_text("Balance\t余额\n%(name)s shares\t%(name)s 共济\nTwo\\nlines\t两\\n行\n")
    counts = translations.update([table], catalogue)
    assert counts == {"messages": 3, "translated": 3, "unused rows": 0}
    assert not translations.gaps(catalogue)


def test_each_kind_of_gap_is_found(catalogue: Path) -> None:
    catalogue.write_text(
        HEADER
        + 'msgid "Balance"\nmsgstr ""\n\n#, fuzzy\nmsgid "Old"\nmsgstr "旧"\n\n'
        + 'msgid "%(name)s shares"\nmsgstr "%(nmae)s 共济"\n',
    )
    found = translations.gaps(catalogue)
    assert found.missing == ["Two\nlines"]
    assert found.untranslated == ["Balance"]
    assert found.fuzzy == found.unused == ["Old"]
    assert found.placeholders == ["%(name)s shares"]


def test_an_update_keeps_what_is_translated_and_drops_what_nothing_says(catalogue: Path) -> None:
    catalogue.write_text(HEADER + 'msgid "Balance"\nmsgstr "余额"\n\nmsgid "Old"\nmsgstr "旧"\n')
    translations.update([], catalogue)
    text = catalogue.read_text()
    assert 'msgstr "余额"' in text
    assert "Old" not in text
    assert text.index("%(name)s") < text.index('"Balance"') < text.index("Two")


def test_a_row_without_a_tab_is_told_with_its_place(catalogue: Path) -> None:
    table = catalogue.parent / "new.tsv"
    table.write_text("Balance\t余额\nno tab here\n")
    with pytest.raises(ValueError, match="new.tsv:2"):
        translations.update([table], catalogue)


def test_only_a_changed_catalogue_is_compiled_and_gettext_reads_it(catalogue: Path, tmp_path: Path) -> None:
    catalogue.write_text(HEADER + 'msgid "Balance"\nmsgstr "余额"\n')
    assert translations.compile_stale(tmp_path) == [catalogue]
    assert translations.compile_stale(tmp_path) == []
    later = catalogue.stat().st_mtime + 10
    os.utime(catalogue, (later, later))
    assert translations.compile_stale(tmp_path) == [catalogue]
    with catalogue.with_suffix(".mo").open("rb") as file:
        assert gettext.GNUTranslations(file).gettext("Balance") == "余额"


def test_what_is_closed_has_three_words():
    """Insurance ends, an account is given up, a rollover is shut."""
    words = [one.CLOSED.label for one in (EnrolmentStatus, AccountStatus, RunState)]
    with translation.override("zh-hans"):
        assert [str(word) for word in words] == ["终止参保", "已注销", "已关闭"]
    with translation.override("en"):
        assert {str(word) for word in words} == {"Closed"}

"""Which of its two languages the portal is being read in."""

from collections.abc import Mapping

from django.utils.translation import get_language


def is_chinese() -> bool:
    """Whether the reader reads Chinese; where no language is active sentences stand in English, and so does the rest."""
    return (get_language() or "").startswith("zh")


def key() -> str:
    """Either "zh" or "en"."""
    return "zh" if is_chinese() else "en"


def name_of(names: Mapping[str, str]) -> str:
    """The reader's of what a region names in both languages; empty where it names nothing."""
    return names.get(key(), "")

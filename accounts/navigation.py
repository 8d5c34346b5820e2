"""The entries of the navigation: each app registers its own in `AppConfig.ready`; none knows another's pages."""

from collections.abc import Callable
from dataclasses import dataclass

from django.http import HttpRequest

from accounts import policies
from accounts.enums import Role

Visible = Callable[[HttpRequest], bool]
Count = Callable[[HttpRequest], int]

# citizen, desk, manage: the bar under the name; tools: top right; foot: links at the bottom.
AREAS = ("citizen", "desk", "manage", "tools", "foot")


@dataclass(frozen=True)
class Entry:
    """One link. `count` is a number shown beside it, 0 for none."""

    area: str
    key: str
    label: str
    url_name: str
    order: int
    visible: Visible | None
    count: Count | None


_entries: dict[tuple[str, str], Entry] = {}
_places: dict[tuple[str, str], str] = {}


def register(
    area: str,
    key: str,
    label: str,
    url_name: str,
    order: int = 100,
    visible: Visible | None = None,
    count: Count | None = None,
) -> None:
    """Add a link to an area; the same key again replaces it. Raises ValueError for an unknown area."""
    if area not in AREAS:
        raise ValueError(f"No area {area!r} of the navigation.")
    _entries[area, key] = Entry(area, key, label, url_name, order, visible, count)


def place(area: str, key: str, *url_names: str) -> None:
    """Say under which entry pages stand whose address does not begin with its own."""
    for url_name in url_names:
        _places[area, url_name] = key


def place_of(area: str, url_name: str) -> str:
    """The key of the entry under which a page was put; empty where its address tells."""
    return _places.get((area, url_name), "")


def for_members(request: HttpRequest) -> bool:
    """What only citizens with a claimed record see."""
    return policies.is_member(request.user)


def for_roles(*roles: Role) -> Visible:
    """What only staff in one of these roles see."""
    return lambda request: policies.has_any_role(request.user, *roles)


def registered() -> list[Entry]:
    """All entries, for the test that each leads somewhere."""
    return list(_entries.values())


def entries(area: str, request: HttpRequest) -> list[Entry]:
    """What this request may see of an area, in order. Where an error comes before it is known whose request it is, what
    everybody sees."""
    known = hasattr(request, "user")
    mine = [entry for entry in _entries.values() if entry.area == area]
    shown = [entry for entry in mine if entry.visible is None or (known and entry.visible(request))]
    return sorted(shown, key=lambda entry: (entry.order, entry.key))

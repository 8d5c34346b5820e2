"""What was published here, written into the file of its region, so that file and database say the same again."""

import datetime
from collections.abc import Sequence
from typing import Any

from family.models import SharingRules
from settlements.domain.region_file import RegionFile, SchemeVersion, Version, load_region_text
from settlements.domain.toml_text import added, ended, version_text
from settlements.models import Scheme


class Differs(ValueError):
    """The file says something that is neither in the database nor older than what was published here."""


def export_region(*, region_id: str, text: str, path: str) -> str:
    """The text of a region's file with every version published here, its remarks and all else as they were.

    Where nothing is missing it is the text itself. Raises BadRegionFile for a file with mistakes, Differs where file and
    database disagree on more than published versions: then load the file, or get the one that was loaded.
    """
    file = load_region_text(text, path)
    if file.code != region_id:
        raise Differs(f"{path} is the file of region {file.code}, not of {region_id}")
    for key, model in (("scheme", Scheme), ("sharing", SharingRules)):
        rows = model.objects.filter(region=region_id, draft__isnull=False).order_by("valid_from")
        for row in rows:
            text = _with(text, path, key, row)
    _check(load_region_text(text, path), region_id)
    return text


def _with(text: str, path: str, key: str, row: Any) -> str:
    """The text with one version that was published, and the end of the one before it."""
    versions = versions_of(load_region_text(text, path), key)
    same = [at for at, version in enumerate(versions) if _slot(version) == _slot(row)]
    found = next((at for at in same if versions[at].valid_from == row.valid_from), None)
    before = max(
        (at for at in same if versions[at].valid_from < row.valid_from),
        key=lambda at: versions[at].valid_from,
        default=None,
    )
    if before is not None and versions[before].valid_to is None:
        text = ended(text, key, before, row.valid_from)
    if found is None:
        text = added(text, key, before, version_text(key, _head(row), row.data))
    return text


def _head(row: Any) -> dict[str, Any]:
    head: dict[str, Any] = {"insurance": row.insurance, "kind": row.kind} if isinstance(row, Scheme) else {}
    head["valid_from"] = row.valid_from
    if row.valid_to is not None:
        head["valid_to"] = row.valid_to
    return head


def versions_of(file: RegionFile, key: str) -> Sequence[Version]:
    """The versions of a part of a file."""
    return file.schemes if key == "scheme" else file.sharing


def _slot(version: Any) -> tuple[str, ...]:
    return (version.insurance, version.kind) if isinstance(version, Scheme | SchemeVersion) else ()


def _check(file: RegionFile, region_id: str) -> None:
    """That reading the file back would change no version."""
    for key, model in (("scheme", Scheme), ("sharing", SharingRules)):
        told = {_said(version) for version in versions_of(file, key)}
        held = {_said(row) for row in model.objects.filter(region=region_id)}
        if told != held:
            slot, first, *_ = min(told ^ held)
            name = " ".join([key, *slot, first.isoformat()])
            raise Differs(
                f"{region_id}: {name} differs between file and database, and not because it was published here"
            )


def _said(version: Any) -> tuple[tuple[str, ...], datetime.date, datetime.date, str]:
    end = version.valid_to or datetime.date.max
    return _slot(version), version.valid_from, end, repr(_sorted(version.data))


def _sorted(value: Any) -> Any:
    if isinstance(value, dict):
        return [(key, _sorted(below)) for key, below in sorted(value.items())]
    return [_sorted(below) for below in value] if isinstance(value, list) else value

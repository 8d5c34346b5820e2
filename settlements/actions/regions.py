"""Loading regions/*.toml: all files are read and checked before anything is written, and all is written or nothing."""

import datetime
from collections.abc import Iterable, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import models, transaction

from accounts import clock
from accounts.domain.benefit_year import start_of
from accounts.models import BenefitYear, Region
from family.models import SharingRules
from settlements.domain.region_file import BadRegionFile, RegionFile, load_region_text
from settlements.models import CreditRule, PersonalAccount, PremiumPlan, Scheme

LAST_YEAR = 2100
# What a scheme that bills were settled by must keep; its remarks may be corrected, those of its stages too.
DECIDING = ("stage", "payers", "accumulate_by")
REMARKS = ("source", "grade", "note")


def region_files(folder: Path | None = None) -> list[Path]:
    """The region files of a folder (of the project if None), by name."""
    return sorted((folder or Path(settings.BASE_DIR) / "regions").glob("*.toml"))


def file_hash(path: Path) -> str:
    """What `Region.file_hash` is once the file has been loaded as it is now."""
    return _hash(_text(path))


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8-sig")


def _hash(text: str) -> str:
    return sha256(text.encode()).hexdigest()


def load(paths: Iterable[Path]) -> list[str]:
    """Bring the database to what the files say; returns what changed, a line each (empty: nothing).

    Raises BadRegionFile with every mistake of every file, before anything is written; SchemeInUse and YearInUse where a
    file would change what money was moved by; PublishedHere where it lacks or changes what was published here.
    """
    files: list[tuple[RegionFile, str]] = []
    problems: list[Any] = []
    for path in paths:
        text = _text(path)
        try:
            files.append((load_region_text(text, str(path)), _hash(text)))
        except BadRegionFile as bad:
            problems.extend(bad.problems)
    if problems:
        raise BadRegionFile(problems)
    with transaction.atomic():
        return [line for file, digest in files for line in load_region(file, digest)]


def load_region(file: RegionFile, digest: str) -> list[str]:
    """One checked file into its rows; returns what changed."""
    region = Region.objects.filter(code=file.code).first()
    if region and region.file_hash == digest:
        return []
    changes = [f"{file.code}: {'changed' if region else 'new'} ({file.names['en']})"]
    values = {
        "name": file.names["zh"],
        "name_en": file.names["en"],
        "two_buckets": file.buckets == "two",
        "data": _further(file),
        "file_hash": digest,
        "loaded_at": clock.now(),
    }
    region, _ = Region.objects.update_or_create(code=file.code, defaults=values)
    changes += _load_years(region, file)
    for version_model, versions, keys in [
        (Scheme, file.schemes, ("insurance", "kind")),
        (SharingRules, file.sharing, ()),
        (CreditRule, file.credits, ()),
        (PremiumPlan, file.premiums, ("insurance", "year")),
    ]:
        changes += _load_versions(region, version_model, versions, keys)
    return changes


def _further(file: RegionFile) -> dict[str, Any]:
    return {
        "years": [list(rule) for rule in file.years],
        "levels": list(file.levels),
        "counters": {counter: dict(labels) for counter, labels in file.counters.items()},
        "filing": _dated(file.filing),
        "wallet": _dated(file.wallet),
        "withdrawal": _dated(file.withdrawal),
    }


def _dated(versions: Sequence[Any]) -> list[dict[str, Any]]:
    return [
        {"valid_from": _iso(version.valid_from), "valid_to": _iso(version.valid_to), **version.data}
        for version in versions
    ]


def _iso(day: datetime.date | None) -> str | None:
    return day.isoformat() if day else None


def _load_years(region: Region, file: RegionFile) -> list[str]:
    wanted = {year: start_of(file.years, year) for year in range(file.years[0].first_year, LAST_YEAR + 1)}
    held = dict(region.benefit_years.values_list("year", "starts_on"))
    if wanted == held:
        return []
    changed = sorted(year for year in wanted.keys() | held.keys() if wanted.get(year) != held.get(year))
    _refuse_begun(region, changed, held, wanted)
    region.benefit_years.filter(year__in=changed).delete()
    BenefitYear.objects.bulk_create(
        BenefitYear(region=region, year=year, starts_on=wanted[year]) for year in changed if year in wanted
    )
    return [f"{region.code}: benefit years {changed[0]} to {changed[-1]}"] if held else []


def _refuse_begun(
    region: Region, changed: list[int], held: dict[int, datetime.date], wanted: dict[int, datetime.date]
) -> None:
    """Accounts stand in a year that has begun: moved under them, balances, counters and interest would be another's."""
    today = clock.today()
    begun = [
        year for year in changed if year in held and (held[year] <= today or (year in wanted and wanted[year] <= today))
    ]
    if begun and PersonalAccount.objects.filter(region=region).exists():
        year = begun[0]
        begins = "began" if held[year] <= today else "begins"
        then = f"begin on {wanted[year]}" if year in wanted else "be removed"
        raise YearInUse(
            f"{region.code}: benefit year {year} {begins} on {held[year]} and would {then}, and the region has accounts;"
            " give the new first day to a year that has not begun"
        )


def _load_versions(
    region: Region, model: type[models.Model], versions: Sequence[Any], keys: tuple[str, ...]
) -> list[str]:
    """Bring the dated rows of one kind to the file's: ended or gone first, so that no two ever overlap."""
    rows = {(*(getattr(row, key) for key in keys), row.valid_from): row for row in model.objects.filter(region=region)}
    wanted = {(*(getattr(version, key) for key in keys), version.valid_from): version for version in versions}
    changes = []
    _refuse_if_published(region, model, rows, wanted)
    for identity in sorted(rows.keys() - wanted.keys()):
        rows[identity].delete()
        changes.append(_line(region, model, identity, "removed"))
    for identity in sorted(rows.keys() & wanted.keys()):
        row, version = rows[identity], wanted[identity]
        if (row.valid_to, row.data) != (version.valid_to, version.data):
            _refuse_if_used(row, version, identity)
            row.valid_to, row.data = version.valid_to, version.data
            row.save()
            changes.append(_line(region, model, identity, "changed"))
    for identity in sorted(wanted.keys() - rows.keys()):
        version = wanted[identity]
        values = {key: getattr(version, key) for key in keys}
        model.objects.create(
            region=region, valid_from=version.valid_from, valid_to=version.valid_to, data=version.data, **values
        )
        changes.append(_line(region, model, identity, "added"))
    return changes


def _refuse_if_published(
    region: Region, model: type[models.Model], rows: dict[Any, Any], wanted: dict[Any, Any]
) -> None:
    """Two people published it here with a day: a file from before that, or another one, does not undo it."""
    if model not in (Scheme, SharingRules):
        return
    here = set(model.objects.filter(region=region, draft__isnull=False).values_list("pk", flat=True))
    begun = {identity for identity, row in rows.items() if row.pk in here}
    for identity, row in sorted(rows.items()):
        version = wanted.get(identity)
        ended_here = (*identity[:-1], row.valid_to) in begun
        ends_alike = version is not None and version.valid_to == row.valid_to
        if row.pk in here and not (ends_alike and version.data == row.data) or ended_here and not ends_alike:
            name = f"{region.code}: {model._meta.object_name} {' '.join(map(str, identity))}"
            raise PublishedHere(
                f"{name} was published in the administration, or ended by what was, and the file says something else;"
                f" write into the file what was published: manage.py export_region {region.code}"
            )


def _refuse_if_used(row: Any, version: Any, identity: tuple[Any, ...]) -> None:
    """Bills were explained by this version: its figures and their days stay, and new figures are a new version."""
    if not isinstance(row, Scheme):
        return
    name = f"{row.region_id}: scheme {' '.join(map(str, identity))}"
    changed = any(_figures(row.data.get(key)) != _figures(version.data.get(key)) for key in DECIDING)
    if changed and row.settlement_set.exists():
        raise SchemeInUse(f"{name} has settled bills; end it with valid_to and add a new version instead")
    last = row.settlement_set.aggregate(last=models.Max("service_on"))["last"]
    if version.valid_to is not None and last is not None and last >= version.valid_to:
        raise SchemeInUse(
            f"{name} would end on {version.valid_to}, and has settled bills of care up to {last}; end it after that day"
        )


def _figures(rules: Any) -> Any:
    """Rules without the remarks on them, at any depth."""
    if isinstance(rules, dict):
        return {key: _figures(value) for key, value in rules.items() if key not in REMARKS}
    return [_figures(rule) for rule in rules] if isinstance(rules, list) else rules


class SchemeInUse(ValueError):
    """A version by which bills were settled must not change, nor end before the days of their care."""


class PublishedHere(ValueError):
    """A version that was published in the administration stays as it is; a file only follows it."""


class YearInUse(ValueError):
    """A benefit year that has begun must not move or go while the region has accounts."""


def _line(region: Region, model: type[models.Model], identity: tuple[Any, ...], verb: str) -> str:
    return f"{region.code}: {model._meta.object_name} {' '.join(map(str, identity))} {verb}"

"""Where the year stands, in the reader's language: the stages of the region's scheme with what is used of each."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _

from accounts import dates, language
from accounts.enums import Level
from accounts.models import Region
from accounts.wording import listed
from settlements.queries.year import StageUse, Year


def tell_stages(stages: Iterable[StageUse], region: Region, year: Year) -> list[dict[str, Any]]:
    """For components/stages.html: name, used, whole, here, small."""
    listed = list(stages)
    # A bill paid in cash fills the deductible while the account before it still has money.
    before = any(stage.kind == "account" and stage.here for stage in listed)
    return [
        {
            "name": name(stage, region),
            "used": stage.used,
            "whole": stage.whole,
            "here": stage.here,
            "small": small(stage, year, before),
        }
        for stage in listed
    ]


def name(stage: StageUse, region: Region) -> str:
    """What the region calls it, else the general name."""
    if stage.kind == "account":
        return _("This year's balance first") if stage.bucket == "current" else _("The account first")
    if stage.kind == "rate":
        return _("Shared with the pooled fund")
    labels = region.data.get("counters", {}).get(stage.counter, {})
    general = {"deductible": _("Deductible"), "supplement": _("Supplementary fund")}[stage.kind]
    return language.name_of(labels) or general


def small(stage: StageUse, year: Year, before: bool = False) -> str:
    """One sentence on what happens in this stage; `before`: the account, which pays first, is not used up."""
    if stage.kind == "account":
        return _("Care is paid from it first; once it is empty, the next stage begins.")
    if stage.kind == "deductible":
        return _deductible(stage, before)
    if stage.kind == "supplement":
        return _("A second fund pays here beyond the limit of the first.")
    return _rates(stage, year)


def _deductible(stage: StageUse, before: bool) -> str:
    if stage.scope == "day_institution":
        return _("Anew on each day at each institution; beyond it the fund pays.")
    if stage.scope == "institution":
        return _("Once a year at each institution; beyond it the fund pays.")
    if stage.scope == "level":
        return _("Once a year at each level of institutions; beyond it the fund pays.")
    if stage.scope == "stay":
        return _("Anew in each stay; beyond it the fund pays.")
    if stage.wholes:
        levels = listed(f"{_level(level)} {_whole(amount)}" for level, amount in stage.wholes.items())
        return _("By level of the institution: %(levels)s yuan. Beyond it the fund pays.") % {"levels": levels}
    if stage.whole is not None and stage.used >= stage.whole:
        return (
            _("Full: once the account is used up, the fund pays.") if before else _("Full: the fund pays from here on.")
        )
    return _("Borne by yourself. Once it is full, the fund begins to pay.")


def _rates(stage: StageUse, year: Year) -> str:
    told = listed(f"{_level(level)} {_percents(rates)}" for level, rates in stage.percents.items())
    facts = {"rates": told, "day": dates.day_short(year.next_day)}
    if stage.whole is not None and stage.used >= stage.whole:
        return _("The fund has paid its limit of this year. From %(day)s on it begins anew.") % facts
    if any(len(rates) > 1 for rates in stage.percents.values()):
        return _("The fund pays, rising by bands: %(rates)s.") % facts
    return _("The fund pays: %(rates)s.") % facts


def _percents(rates: tuple[Decimal, ...]) -> str:
    least, most = min(rates), max(rates)
    return f"{_whole(least)}%" if least == most else f"{_whole(least)}–{_whole(most)}%"


def _whole(amount: Decimal) -> str:
    return f"{amount.normalize():,f}"


def _level(level: str) -> str:
    short = {
        Level.PRIMARY: _("community"),
        Level.SECONDARY: _("second level"),
        Level.TERTIARY: _("third level"),
        Level.TOP: _("top hospital"),
    }
    return short[Level(level)]

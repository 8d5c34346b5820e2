"""Whether accounts may pay for what the catalogue lists: by the parts of an item and the scheme of a region."""

import datetime
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.errors import Refused
from accounts.money import ZERO
from settlements.domain.scheme import SHARED, AccountStage, Scheme
from settlements.models import CatalogueItem
from settlements.queries.parameters import scheme_on

# The parts of a bill, as people call them.
PARTS = {
    "in_scope": gettext_lazy("In the catalogue"),
    "pre_self_pay": gettext_lazy("What is paid up front in class B"),
    "self_paid": gettext_lazy("Off the catalogue, class C, and above a price limit"),
}
YES, PART, NO = "yes", "part", "no"


@dataclass(frozen=True)
class Pays:
    """Which parts of a bill the patient's own account and his relatives' accounts may pay, by name."""

    own: frozenset[str]
    family: frozenset[str]

    def rows(self) -> list[dict[str, Any]]:
        """A line a part, for a page."""
        return [
            {"label": str(label), "own": tell(_one(part in self.own)), "family": tell(_one(part in self.family))}
            for part, label in PARTS.items()
        ]


def pays_on(region_id: str, insurance: str, kind: str, on: datetime.date) -> Pays | None:
    """By the scheme of a region for an insurance and a kind of care on a day; None where none is known."""
    try:
        scheme = scheme_on(region_id, insurance, kind, on).scheme
    except Refused:
        return None
    return _pays(scheme) if scheme.known else None


def _pays(scheme: Scheme) -> Pays:
    own = {part for part in PARTS if any(payer.bucket != SHARED for payer in scheme.payers.get(part, ()))}
    if any(isinstance(stage, AccountStage) for stage in scheme.stages):
        own.add("in_scope")
    family = {part for part in PARTS if any(payer.bucket == SHARED for payer in scheme.payers.get(part, ()))}
    return Pays(frozenset(own), frozenset(family))


def of_item(item: CatalogueItem, allowed: frozenset[str]) -> str:
    """yes, part or no: whether an account that may pay these parts may pay for the item, up to its price limit."""
    parts = parts_of(item)
    paid = [part for part in parts if part in allowed]
    return YES if len(paid) == len(parts) else PART if paid else NO


def parts_of(item: CatalogueItem) -> list[str]:
    """Into which parts of a bill the price of an item falls, up to its limit."""
    if item.item_class == CatalogueItem.Class.C:
        return ["self_paid"]
    if item.item_class == CatalogueItem.Class.A or item.self_pay_percent == ZERO:
        return ["in_scope"]
    return ["pre_self_pay"] if item.self_pay_percent == 100 else ["in_scope", "pre_self_pay"]


def tell(answer: str) -> str:
    """The answer in the reader's language."""
    return {YES: _("May pay"), PART: _("In part"), NO: _("No, in cash")}[answer]


def rows(items: Iterable[CatalogueItem], pays: Pays | None) -> list[dict[str, Any]]:
    """Items as a page shows them."""
    return [
        {
            "item": item,
            "percent": f"{item.self_pay_percent.normalize():f}%" if item.item_class == CatalogueItem.Class.B else "",
            "own": tell(of_item(item, pays.own)) if pays else "—",
            "family": tell(of_item(item, pays.family)) if pays else "—",
        }
        for item in items
    ]


def _one(may: bool) -> str:
    return YES if may else NO

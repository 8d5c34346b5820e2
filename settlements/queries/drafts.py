"""Reading of drafts of rules, and of what a what-if came to."""

from typing import Any

from django.db.models import QuerySet

from accounts.enums import Role
from accounts.models import User
from accounts.policies import has_any_role, regions_with_role
from family.models import SharingRules
from settlements.models import RuleDraft, Scheme, Settlement, Trial


def visible_to(user: User) -> QuerySet[RuleDraft]:
    """Drafts of the regions that the user administers; an auditor reads all."""
    rows = RuleDraft.objects.select_related("region", "made_by", "published_by", "scheme", "sharing")
    if has_any_role(user, Role.AUDITOR):
        return rows
    return rows.filter(region__in=regions_with_role(user, Role.REGION_ADMIN))


def versions_to_draft(user: User) -> list[Scheme | SharingRules]:
    """The versions without an end in the regions that the user administers."""
    regions = regions_with_role(user, Role.REGION_ADMIN)
    found: list[Any] = []
    for model in (Scheme, SharingRules):
        found += (
            model.objects.filter(region__in=regions, valid_to=None).select_related("region").order_by("region", "pk")
        )
    return found


def worst_of(trial: Trial) -> list[dict[str, Any]]:
    """The bills that a draft makes dearest: settlement, and yuan then and under the draft."""
    rows = trial.result.get("worst", [])
    bills = Settlement.objects.select_related("patient").in_bulk([row[0] for row in rows])
    return [{"bill": bills[number], "then": then, "now": now} for number, then, now in rows if number in bills]

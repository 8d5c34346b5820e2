"""Until when a bill paid in cash may be filed, as the region's file says."""

import datetime
from functools import partial
from typing import Any

from accounts.models import Region
from casework.domain.working_days import is_working
from casework.queries import working_day_exceptions
from settlements.domain.filing import FilingRule, deadline

SHAPE = ("valid_from", "valid_to")


def filing_rule_on(region_id: str, service_on: datetime.date) -> FilingRule | None:
    """The rule for a bill of a day of care; None where the region's sources name no deadline."""
    day = service_on.isoformat()
    for version in Region.objects.get(pk=region_id).data.get("filing", []):
        if version["valid_from"] <= day and (version["valid_to"] is None or day < version["valid_to"]):
            return FilingRule.from_data(_rule(version))
    return None


def filing_deadline(rule: FilingRule, service_on: datetime.date) -> datetime.date:
    """The last day on which the bill may be filed, moved by the calendar of working days where the rule says so."""
    exceptions = working_day_exceptions(service_on, days=3 * 366) if rule.days_off_move else {}
    return deadline(rule, service_on, partial(is_working, exceptions=exceptions))


def _rule(version: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in version.items() if key not in SHAPE}

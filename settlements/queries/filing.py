"""Until when a bill paid in cash may be filed, as the region's file says."""

import datetime
from functools import partial

from accounts.models import Region
from casework.domain.working_days import is_working
from casework.queries import working_day_exceptions
from settlements.domain.filing import FilingRule, deadline
from settlements.queries.parameters import region_rule


def filing_rule_on(region_id: str, service_on: datetime.date) -> FilingRule | None:
    """The rule for a bill of a day of care; None where the region's sources name no deadline."""
    rule = region_rule(Region.objects.get(pk=region_id), "filing", service_on)
    return None if rule is None else FilingRule.from_data(rule)


def filing_deadline(rule: FilingRule, service_on: datetime.date) -> datetime.date:
    """The last day on which the bill may be filed, moved by the calendar of working days where the rule says so."""
    exceptions = working_day_exceptions(service_on, days=3 * 366) if rule.days_off_move else {}
    return deadline(rule, service_on, partial(is_working, exceptions=exceptions))

"""What an institution settled with the portal in a period, as it knows it: in sum, row by row, and day by day.

The period goes by our day of settlement and of reversal, which is the `setl_time` of our answers. A bill that was
recalculated stays here as it was told to the institution: what a recalculation moves is between the office and the member,
and the day on which it did so is no day of a reversal. If such a bill goes back at the window, it goes back as it was told.
"""

import datetime
from collections.abc import Collection
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import Q, QuerySet
from django.utils import timezone

from accounts.enums import Role
from accounts.models import Institution, Region, User
from accounts.money import ZERO
from accounts.policies import has_any_role, regions_with_role
from gateway.answers import CLEARING_TYPE, INSUTYPE
from gateway.domain.reconciling import Row
from gateway.models import Difference, GatewayFile, GatewayMessage, ReconciliationDay, VisitSettlement
from gateway.queries.people import number_of

WITHOUT_REFUNDS, REFUNDS_ALONE = "0", "1"
CORRECTION = "2601"
# The amounts of 2207 and 2208: `answers.amounts` in SQL.
AMOUNTS = """
    s.in_scope + s.pre_self_pay + s.self_paid AS total, s.fund + s.supplement AS fund,
    s.own_current + s.own_historical + s.wallet + s.shared AS accounts, s.cash"""
WHICH = """
    s.institution_id = %(institution)s AND s.region_id = %(region)s AND vs.med_type = ANY(%(med_types)s)
    AND (%(insurance)s = '' OR s.insurance = %(insurance)s)"""
SETTLED = "s.settled_on BETWEEN %(begin)s AND %(end)s"
# A settlement is reversed on that day, or was before, when it was settled anew: so the day says nothing more. It lets the
# index of the institution's reversals serve a long period, as that of all in a period serves one day.
REVERSED = "s.reversed_on <= %(end)s AND vs.reversed_at >= %(begins_at)s AND vs.reversed_at < %(ends_at)s"
FROM = "settlements_settlement s JOIN gateway_visitsettlement vs ON vs.settlement_id = s.id"
TOTALS = f"""
WITH moved AS (
    SELECT 1 AS sign, vs.reversed_at IS NOT NULL AND vs.reversed_at < %(ends_at)s AS undone, {AMOUNTS}
    FROM {FROM} WHERE {SETTLED} AND {WHICH}
    UNION ALL
    SELECT -1, false, {AMOUNTS}
    FROM {FROM} WHERE {REVERSED} AND {WHICH}
)
SELECT count(*) FILTER (WHERE sign = 1), count(*) FILTER (WHERE sign = -1), count(*) FILTER (WHERE undone),
    coalesce(sum(sign * total), 0), coalesce(sum(sign * fund), 0), coalesce(sum(sign * accounts), 0),
    coalesce(sum(sign * cash), 0)
FROM moved
WHERE %(refunds)s = '' OR (%(refunds)s = '0' AND sign = 1 AND NOT undone) OR (%(refunds)s = '1' AND sign = -1)
"""
ROWS = f"""
SELECT found.setl_id, v.mdtrt_id, m.public_id, total, fund, accounts, reversal, origin, found.msgid, found.med_type
FROM (
    SELECT vs.setl_id, vs.visit_id, s.patient_id, {AMOUNTS}, false AS reversal, vs.setl_id AS origin, vs.msgid,
        vs.med_type
    FROM {FROM} WHERE {{settled}}
    UNION ALL
    SELECT vs.reversal_setl_id, vs.visit_id, s.patient_id, -sums.total, -sums.fund, -sums.accounts, -sums.cash, true,
        vs.setl_id, vs.reversal_msgid, vs.med_type
    FROM {FROM} CROSS JOIN LATERAL (SELECT {AMOUNTS}) sums WHERE vs.reversed_at IS NOT NULL AND {{reversed}}
) found JOIN gateway_visit v ON v.id = found.visit_id JOIN accounts_member m ON m.id = found.patient_id
ORDER BY found.setl_id
"""
OF_PERIOD = ROWS.format(
    settled=f"{SETTLED} AND {WHICH}",
    reversed=f"{REVERSED} AND {WHICH}",
)
BY_NUMBER = ROWS.format(
    settled="s.institution_id = %(institution)s AND (vs.setl_id = ANY(%(ids)s) OR vs.reversal_setl_id = ANY(%(ids)s))",
    reversed="s.institution_id = %(institution)s AND (vs.setl_id = ANY(%(ids)s) OR vs.reversal_setl_id = ANY(%(ids)s))",
)
INSURANCES = f"""
SELECT DISTINCT s.insurance FROM {FROM}
WHERE s.institution_id = %(institution)s AND (vs.setl_id = ANY(%(ids)s) OR vs.reversal_setl_id = ANY(%(ids)s))
"""
DAY = f"""
SELECT institution_id, region_id, insurance, med_type, count(*), max(at) FROM (
    SELECT s.institution_id, s.region_id, s.insurance, vs.med_type, vs.settled_at AS at
    FROM {FROM} WHERE s.institution_id = ANY(%(institutions)s) AND {SETTLED}
    UNION ALL
    SELECT s.institution_id, s.region_id, s.insurance, vs.med_type, vs.reversed_at
    FROM {FROM} WHERE s.institution_id = ANY(%(institutions)s) AND {REVERSED}
) moved GROUP BY 1, 2, 3, 4
"""


@dataclass(frozen=True, kw_only=True)
class Scope:
    """What is compared: whose settlements, of which days (both included), place of insurance, and kind.

    `insurance` or `clr_type` empty: all; `refunds`: "0" without refunds, "1" refunds alone, empty all.
    """

    institution: Institution
    begins_on: datetime.date
    ends_on: datetime.date
    region: Region
    clr_type: str
    insurance: str = ""
    refunds: str = ""

    @property
    def parameters(self) -> dict[str, Any]:
        """For the statements of this module."""
        return {
            "institution": self.institution.pk,
            **_period(self.begins_on, self.ends_on),
            "region": self.region.pk,
            "med_types": [med_type for med_type, clr_type in CLEARING_TYPE.items() if self.clr_type in ("", clr_type)],
            "insurance": self.insurance,
            "refunds": self.refunds,
        }


@dataclass(frozen=True, kw_only=True)
class Totals:
    """Settlements and reversals of a scope: how many of each, and their sums in yuan, reversals taken off.

    `undone`: how many of the settlements were taken back within the period.
    """

    settled: int
    reversed: int
    undone: int
    total: Decimal
    fund: Decimal
    accounts: Decimal
    cash: Decimal


@dataclass(frozen=True, kw_only=True)
class Part:
    """What an institution settled on a day for one place of insurance, insurance and clearing category."""

    institution_id: int
    region_id: str
    insurance: str
    clr_type: str
    count: int
    last_at: datetime.datetime


def _period(begin: datetime.date, end: datetime.date) -> dict[str, Any]:
    """Days, both included, and the moments between which they lie."""
    days = (begin, end + datetime.timedelta(days=1))
    begins_at, ends_at = (timezone.make_aware(datetime.datetime.combine(day, datetime.time())) for day in days)
    return {"begin": begin, "end": end, "begins_at": begins_at, "ends_at": ends_at}


def totals(scope: Scope) -> Totals:
    """Our sums of the scope: one statement, and none of its rows comes here."""
    with connection.cursor() as cursor:
        cursor.execute(TOTALS, scope.parameters)
        settled, taken_back, undone, total, fund, accounts, cash = cursor.fetchone()
    return Totals(
        settled=settled, reversed=taken_back, undone=undone, total=total + ZERO, fund=fund + ZERO,
        accounts=accounts + ZERO, cash=cash + ZERO,
    )  # fmt: skip


def rows(scope: Scope) -> list[Row]:
    """Our settlements and reversals of the scope, `refunds` left aside."""
    return _rows(OF_PERIOD, scope.parameters)


def rows_by_number(institution: Institution, numbers: Collection[str]) -> list[Row]:
    """The institution's settlements and reversals with these numbers, of whatever day."""
    return _rows(BY_NUMBER, {"institution": institution.pk, "ids": list(numbers)}) if numbers else []


def corrections(institution: Institution, msgids: Collection[str]) -> set[str]:
    """Which of these messages that took something back were corrections (2601)."""
    found = GatewayMessage.objects.filter(institution=institution, infno=CORRECTION, claim__in=msgids)
    return set(found.values_list("claim", flat=True))


def insurances_of(institution: Institution, numbers: Collection[str]) -> set[str]:
    """Of which insurances the institution's settlements and reversals with these numbers are."""
    with connection.cursor() as cursor:
        cursor.execute(INSURANCES, {"institution": institution.pk, "ids": list(numbers)})
        return {insurance for (insurance,) in cursor.fetchall()}


def _rows(statement: str, parameters: dict[str, Any]) -> list[Row]:
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        return [_row(*found) for found in cursor.fetchall()]


def _row(
    setl_id: str,
    mdtrt_id: str,
    public_id: UUID,
    total: Decimal,
    fund: Decimal,
    accounts: Decimal,
    reversal: bool,
    origin: str,
    msgid: str,
    med_type: str,
) -> Row:
    amounts, clr_type = (total, fund, accounts), CLEARING_TYPE[med_type]
    return Row(setl_id, mdtrt_id, number_of(public_id), amounts, reversal, origin, msgid, clr_type=clr_type)


def clr_type_of(institution: Institution, setl_id: str) -> str:
    """Clearing category of the institution's settlement or reversal with this number; empty if it has none such."""
    numbered = Q(setl_id=setl_id) | Q(reversal_setl_id=setl_id)
    found = VisitSettlement.objects.filter(numbered, visit__institution=institution).values_list("med_type", flat=True)
    return CLEARING_TYPE[found[0]] if found else ""


def parts_of_day(day: datetime.date) -> list[Part]:
    """What every institution settled and reversed on a day."""
    institutions = list(Institution.objects.values_list("pk", flat=True))
    with connection.cursor() as cursor:
        cursor.execute(DAY, {"institutions": institutions, **_period(day, day)})
        found = cursor.fetchall()
    parts: dict[tuple[int, str, str, str], Part] = {}
    for institution_id, region_id, insurance, med_type, count, last_at in found:
        key = (institution_id, region_id, insurance, CLEARING_TYPE[med_type])
        known = parts.get(key)
        parts[key] = Part(
            institution_id=institution_id,
            region_id=region_id,
            insurance=insurance,
            clr_type=key[3],
            count=count + (known.count if known else 0),
            last_at=max(last_at, known.last_at) if known else last_at,
        )
    return list(parts.values())


def region_of(agency: str) -> Region | None:
    """The region that an agency's code names: the region itself, its city, or its province (GB/T 2260)."""
    codes = [agency, f"{agency[:4]}00", f"{agency[:2]}0000"]
    found = {region.code: region for region in Region.objects.filter(code__in=codes)}
    return next((found[code] for code in codes if code in found), None)


def insurance_of(insutype: str) -> str | None:
    """Our insurance by the interface's code; None for one that the portal does not settle."""
    return next((str(insurance) for insurance, code in INSUTYPE.items() if code == insutype), None)


def kept_bytes(institution: Institution) -> int:
    """How much of the institution's files is kept at present."""
    kept = GatewayFile.objects.filter(institution=institution, content__isnull=False)
    return sum(kept.values_list("size", flat=True))


def differences_visible_to(user: User) -> QuerySet[Difference]:
    """Differences of institutions in the regions that the user administers; an auditor reads all."""
    found = Difference.objects.select_related("institution__region", "found_by", "seen_last_by", "changed_by")
    return found if has_any_role(user, Role.AUDITOR) else found.filter(institution__region__in=_regions(user))


def institutions_visible_to(user: User) -> QuerySet[Institution]:
    """Institutions whose clearing the user may see: those of his regions; an auditor sees all."""
    found = Institution.objects.select_related("region")
    return found if has_any_role(user, Role.AUDITOR) else found.filter(region__in=_regions(user))


def days_visible_to(user: User) -> QuerySet[ReconciliationDay]:
    """Days of institutions in the regions that the user administers; an auditor reads all."""
    found = ReconciliationDay.objects.select_related("institution__region")
    return found if has_any_role(user, Role.AUDITOR) else found.filter(institution__region__in=_regions(user))


def _regions(user: User) -> set[str]:
    return regions_with_role(user, Role.REGION_ADMIN)

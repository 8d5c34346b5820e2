"""What an institution is due for a month: its settlements and reversals by clearing category, kind and insurance."""

import datetime
from dataclasses import dataclass, fields
from decimal import Decimal

from django.db import connection

from accounts.domain.months import first_of, last_of
from accounts.models import Institution
from accounts.money import ZERO
from gateway.answers import CLEARING_TYPE
from settlements.enums import CareKind

# Of a bill that did not come over the interface: entered at the window.
BY_KIND = {CareKind.OUTPATIENT: "11", CareKind.INPATIENT: "21", CareKind.PHARMACY: "41"}
# Bills paid in cash (kind claim) are between the office and the member. A recalculated bill moves funds, accounts and
# cash against each other, and the institution has had its money: told apart, so that the books still agree. If such a bill
# goes back at the window (`anew`: its last settlement, with all before), the institution gives back what it was told
# (`back`: the first), and what the recalculation moved comes back beside it.
MONTH = """
WITH RECURSIVE moved AS (
    SELECT s.*, 1 AS sign FROM settlements_settlement s
    WHERE s.institution_id = %(institution)s AND s.settled_on BETWEEN %(first)s AND %(last)s
    UNION ALL
    SELECT s.*, -1 FROM settlements_settlement s
    WHERE s.institution_id = %(institution)s AND s.reversed_on BETWEEN %(first)s AND %(last)s
), anew AS (
    SELECT last.new_id, last.old_id FROM settlements_recalculatedbill last
    WHERE last.new_id IN (SELECT id FROM moved WHERE sign = -1)
    AND NOT EXISTS (SELECT FROM settlements_recalculatedbill r WHERE r.old_id = last.new_id)
    UNION ALL
    SELECT anew.new_id, r.old_id FROM anew JOIN settlements_recalculatedbill r ON r.new_id = anew.old_id
), back AS (
    SELECT s.* FROM anew JOIN settlements_settlement s ON s.id = anew.old_id
    WHERE NOT EXISTS (SELECT FROM settlements_recalculatedbill r WHERE r.new_id = s.id)
), told AS (
    SELECT moved.*, EXISTS (
        SELECT FROM settlements_recalculatedbill r WHERE r.new_id = moved.id OR (sign = -1 AND r.old_id = moved.id)
    ) AS recalculated FROM moved
    UNION ALL SELECT back.*, -1, false FROM back
    UNION ALL SELECT back.*, 1, true FROM back
)
SELECT coalesce(vs.med_type, ''), told.kind, told.insurance, recalculated,
    count(*) FILTER (WHERE sign = 1), count(*) FILTER (WHERE sign = -1),
    sum(sign * (in_scope + pre_self_pay + self_paid)), sum(sign * fund), sum(sign * supplement),
    sum(sign * (own_current + own_historical)), sum(sign * wallet), sum(sign * shared), sum(sign * cash)
FROM told JOIN settlements_ledgertransaction t ON t.id = told.transaction_id AND t.kind = 'care'
LEFT JOIN gateway_visitsettlement vs ON vs.settlement_id = told.id
GROUP BY 1, 2, 3, 4
"""


@dataclass(frozen=True, kw_only=True)
class Sums:
    """Settlements, reversals, and who bore how much, in yuan, reversals taken off.

    `due` is what the institution gets from the insurance: all but cash.
    """

    settled: int = 0
    reversed: int = 0
    total: Decimal = ZERO
    fund: Decimal = ZERO
    supplement: Decimal = ZERO
    own: Decimal = ZERO
    wallet: Decimal = ZERO
    family: Decimal = ZERO
    cash: Decimal = ZERO

    @property
    def due(self) -> Decimal:
        return self.fund + self.supplement + self.own + self.wallet + self.family

    @property
    def accounts(self) -> Decimal:
        """The patient's own account and wallet, and relatives' accounts."""
        return self.own + self.wallet + self.family

    def __add__(self, other: "Sums") -> "Sums":
        return Sums(**{one.name: getattr(self, one.name) + getattr(other, one.name) for one in fields(self)})


@dataclass(frozen=True, kw_only=True)
class Line:
    """The sums of one clearing category, kind of care and insurance."""

    clr_type: str
    kind: str
    insurance: str
    sums: Sums


@dataclass(frozen=True, kw_only=True)
class Clearing:
    """A month of an institution. `recalculated`: moved by bills settled anew; not due to the institution."""

    institution: Institution
    first: datetime.date
    lines: list[Line]
    recalculated: Sums

    @property
    def sums(self) -> Sums:
        """All lines together."""
        return sum((line.sums for line in self.lines), Sums())


def clearing_of(institution: Institution, month: datetime.date) -> Clearing:
    """The clearing of the month in which `month` lies; of the present one, until now.

    Days and amounts of settlements never change afterwards, so a month that is over gives the same for good.
    """
    first, last = first_of(month), last_of(month)
    with connection.cursor() as cursor:
        cursor.execute(MONTH, {"institution": institution.pk, "first": first, "last": last})
        found = cursor.fetchall()
    by_line: dict[tuple[str, str, str], Sums] = {}
    recalculated = Sums()
    for med_type, kind, insurance, is_recalculated, *amounts in found:
        sums = Sums(**dict(zip([one.name for one in fields(Sums)], amounts, strict=True)))
        if is_recalculated:
            recalculated += sums
            continue
        key = (CLEARING_TYPE.get(med_type) or BY_KIND[CareKind(kind)], kind, insurance)
        by_line[key] = by_line.get(key, Sums()) + sums
    lines = [
        Line(clr_type=clr_type, kind=kind, insurance=insurance, sums=sums)
        for (clr_type, kind, insurance), sums in sorted(by_line.items())
    ]
    return Clearing(institution=institution, first=first, lines=lines, recalculated=recalculated)

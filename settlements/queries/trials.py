"""The facts of settled bills as they were before each: frozen with the settlement, or worked back from what followed."""

import datetime
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db import connection

from accounts.domain.age import age_on
from accounts.domain.benefit_year import Rules, year_of
from accounts.models import Enrolment, Region
from accounts.money import ZERO
from family.models import SharingGrant, SharingRules
from settlements.domain.allocation import Candidate
from settlements.domain.assessment import Claim
from settlements.domain.parameters import Person
from settlements.domain.what_if import Case, Sharing
from settlements.models import PersonalAccount, Settlement, SettlementPayer, Usage

# What an account held before a bill: the entry of the bill less what it moved, else the last entry before it.
BEFORE = """
SELECT p.account, p.transaction, coalesce(b.current, l.current_after), coalesce(b.historical, l.historical_after),
    CASE WHEN b.current IS NULL THEN l.debt_after ELSE 0 END, coalesce(b.benefit_year, l.benefit_year)
FROM unnest(%s::bigint[], %s::bigint[]) AS p(account, transaction)
LEFT JOIN LATERAL (
    SELECT current_after - current_delta AS current, historical_after - historical_delta AS historical, benefit_year
    FROM settlements_entry e
    WHERE e.transaction_id = p.transaction AND e.account_id = p.account AND e.kind IN ('care', 'claim')
) b ON true
LEFT JOIN LATERAL (
    SELECT current_after, historical_after, debt_after,
        benefit_year + CASE WHEN kind = 'rollover' THEN 1 ELSE 0 END AS benefit_year
    FROM settlements_entry e WHERE e.account_id = p.account AND e.transaction_id < p.transaction
    ORDER BY version DESC LIMIT 1
) l ON true
"""


@dataclass(frozen=True, kw_only=True)
class Found:
    """A settled bill with its facts; `accounts`: grant -> account; `sharing_id`: the version of sharing rules of its day."""

    settlement: Settlement
    case: Case
    own_account: int | None
    accounts: Mapping[str, int]
    sharing_id: int | None
    age: int


def facts_of(settlements: Sequence[Settlement], region: Region) -> dict[int, Found]:
    """Settlement id -> its facts; one whose facts are not to be had is missing. For a chunk of some hundreds."""
    return _Chunk(settlements, region).found()


class _Chunk:
    """The rows about a chunk of bills, each kind read in one statement."""

    def __init__(self, settlements: Sequence[Settlement], region: Region) -> None:
        self.settlements, self.region = settlements, region
        self.years: Rules = region.data["years"]
        self.sharing = list(SharingRules.objects.filter(region=region))
        patients = {one.patient_id for one in settlements}
        self.grants = SharingGrant.objects.select_related("grantor").in_bulk(
            {grant for one in settlements for grant in one.order.get("grants", ())}
        )
        people = patients | {grant.grantor_id for grant in self.grants.values()}
        self.enrolments = _by(Enrolment.objects.filter(member__in=people), "member_id")
        self.accounts = {
            (row.member_id, row.region_id): row.pk for row in PersonalAccount.objects.filter(member__in=people)
        }
        self.usage: dict[tuple[int, int], dict[str, Decimal]] = defaultdict(dict)
        for member, year, name, amount in Usage.objects.filter(member__in=patients).values_list(
            "member_id", "benefit_year", "counter", "amount"
        ):
            self.usage[member, year][name] = amount
        self.history: dict[int, list[tuple[int, dict[str, dict[str, str]], int | None]]] = defaultdict(list)
        for patient, at, counters, undone in Settlement.objects.filter(patient__in=patients).values_list(
            "patient_id", "transaction_id", "counters", "transaction__reversed_by"
        ):
            self.history[patient].append((at, counters, undone))

    def found(self) -> dict[int, Found]:
        pairs = {one.pk: self._accounts(one) for one in self.settlements}
        held = _before(
            [(account, one.transaction_id) for one in self.settlements for account in pairs[one.pk].values()]
        )
        return {one.pk: made for one in self.settlements if (made := self._found(one, pairs[one.pk], held)) is not None}

    def _accounts(self, one: Settlement) -> dict[str, int]:
        """Grant (or own) -> account."""
        own = self.accounts.get((one.patient_id, one.region_id)) if one.insurance == "employee" else None
        accounts = {"own": own} if own else {}
        for number in one.order.get("grants", ()):
            grant = self.grants[number]
            enrolled = _on(self.enrolments[grant.grantor_id], one.settled_on, "employee")
            account = self.accounts.get((grant.grantor_id, enrolled.region_id)) if enrolled else None
            if account:
                accounts[str(number)] = account
        return accounts

    def _found(self, one: Settlement, accounts: dict[str, int], held: Mapping[tuple[int, int], Any]) -> Found | None:
        enrolled = _on(self.enrolments[one.patient_id], one.service_on, one.insurance)
        grants = [str(number) for number in one.order.get("grants", ())]
        if enrolled is None or any(grant not in accounts for grant in grants):
            return None
        settled_year = year_of(self.years, one.settled_on)
        used = self._used(one, {one.counted_year, settled_year, year_of(self.years, one.service_on)})
        balances = {who: _rolled(held[account, one.transaction_id], settled_year) for who, account in accounts.items()}
        # As bills are decided: by the order and the threshold of the day of care (decision 0040).
        rules = next((row for row in self.sharing if _holds(row, one.service_on)), None)
        shares = rules is not None and bool(one.order.get("strategy"))
        return Found(
            settlement=one,
            case=Case(
                claim=_claim(one, enrolled),
                service_on=one.service_on,
                service_year=year_of(self.years, one.service_on),
                settled_year=settled_year,
                used=used,
                own=dict(zip(("current", "historical"), balances["own"], strict=True)) if "own" in balances else {},
                sharing=sharing_of(rules.data, one.settled_on) if rules is not None and shares else None,
                candidates=tuple(
                    self._candidate(place, grant, balances[grant][1], one, used[settled_year])
                    for place, grant in enumerate(grants)
                ),
            ),
            own_account=accounts.get("own"),
            accounts={grant: accounts[grant] for grant in grants},
            sharing_id=rules.pk if rules is not None and shares else None,
            age=age_on(one.patient.birth, one.service_on),
        )

    def _candidate(
        self, place: int, number: str, balance: Decimal, one: Settlement, limits: Mapping[str, Decimal]
    ) -> Candidate:
        grant = self.grants[int(number)]
        enrolled = _on(self.enrolments[grant.grantor_id], one.settled_on, "employee")
        return Candidate(
            grant=number,
            account=number,
            name=grant.grantor.name,
            balance=balance,
            bound_on=grant.starts_on,
            bound_order=grant.pk,
            position=place,
            limit=grant.limit,
            limit_used=limits.get(f"grant:{number}", ZERO),
            uses_care=True,
            status=enrolled.status if enrolled else "closed",
        )

    def _used(self, one: Settlement, years: Iterable[int]) -> dict[int, dict[str, Decimal]]:
        """The counters before a bill: those of now, less what came since, and what was given back since added again."""
        used = {year: dict(self.usage[one.patient_id, year]) for year in years}
        for at, counters, undone in self.history[one.patient_id]:
            sign = 0
            if at >= one.transaction_id:
                sign = -1 if undone is None else 0
            elif undone is not None and undone > one.transaction_id:
                sign = 1
            for year, names in counters.items() if sign else ():
                for name, amount in names.items() if int(year) in used else ():
                    counted = used[int(year)]
                    counted[name] = counted.get(name, ZERO) + sign * Decimal(amount)
        return used


def _claim(one: Settlement, enrolled: Enrolment) -> Claim:
    return Claim(
        person=Person(
            birth=one.patient.birth,
            status=enrolled.personal_status,
            retired_on=enrolled.retired_on,
            enrolment=enrolled.status,
        ),
        level=one.level,
        in_scope=one.in_scope,
        pre_self_pay=one.pre_self_pay,
        self_paid=one.self_paid,
        institution=one.institution.code if one.institution else "",
        signed=one.signed,
    )


def charged_of(settlements: Sequence[Settlement]) -> dict[int, dict[str, Decimal]]:
    """Settlement id -> grant (or own) -> yuan that its account paid."""
    paid: dict[int, dict[str, Decimal]] = defaultdict(dict)
    for payer in SettlementPayer.objects.filter(settlement__in=settlements):
        who = str(payer.grant_id) if payer.grant_id else "own"
        paid[payer.settlement_id][who] = paid[payer.settlement_id].get(who, ZERO) + payer.current + payer.historical
    return paid


def sharing_of(data: Mapping[str, Any], on: datetime.date) -> Sharing | None:
    """How a version of the sharing rules charges relatives' accounts for a bill settled on a day; None: it does not."""
    opens = data.get("usable_from")
    if opens is not None and on < datetime.date.fromisoformat(opens):
        return None
    return Sharing(order=data["order"], keep=Decimal(data["keep"]))


def _before(pairs: Sequence[tuple[int, int]]) -> dict[tuple[int, int], tuple[Decimal, Decimal, Decimal, int]]:
    with connection.cursor() as cursor:
        cursor.execute(BEFORE, [[account for account, _ in pairs], [at for _, at in pairs]])
        return {(row[0], row[1]): row[2:] for row in cursor.fetchall()}


def _rolled(
    held: tuple[Decimal | None, Decimal | None, Decimal | None, int | None], year: int
) -> tuple[Decimal, Decimal]:
    """Current and historical as the year of the bill showed them; interest of a year closed only later is not there."""
    current, historical, debt, of = held
    if of is None:
        return ZERO, ZERO
    current, historical, debt = current or ZERO, historical or ZERO, debt or ZERO
    return (ZERO, max(historical + current - debt, ZERO)) if of < year else (current, historical)


def _on(rows: Sequence[Enrolment], day: datetime.date, insurance: str) -> Enrolment | None:
    return next((row for row in rows if row.insurance == insurance and _holds(row, day)), None)


def _holds(row: Any, day: datetime.date) -> bool:
    return row.valid_from <= day and (row.valid_to is None or day < row.valid_to)


def _by(rows: Iterable[Any], name: str) -> dict[int, list[Any]]:
    found: dict[int, list[Any]] = defaultdict(list)
    for row in rows:
        found[getattr(row, name)].append(row)
    return found

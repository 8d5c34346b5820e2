"""What a settlement must know of a patient and his family before it decides; nothing here is locked."""

import datetime
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from accounts.calls import Call, from_json, send
from accounts.errors import Refused
from accounts.money import ZERO
from family.domain.rules import SharingRules
from family.queries import rules_version as rules_version_of
from settlements.domain.parameters import Person
from settlements.ledger.balances import Balance, moment, shown
from settlements.queries.parameters import SchemeVersion, scheme_version

# The order of its values is that in which `facts_of` takes them apart.
FACTS = "care_facts(%s, %s, %s, %s, %s, %s)"
QUOTE = "care_quote(%s, %s, %s, %s, %s, %s, %s, %s)"
# The arguments of the claim, then those of the facts: patient, kind, day of care, own account, relatives' accounts, wallet,
# moment, whether accounts are locked.
BEGIN = f"care_begin({', '.join(['%s'] * 16)})"

day = datetime.date.fromisoformat


@dataclass(frozen=True, kw_only=True)
class GrantorAccount:
    """A grant in force with the grantor's account and the state of his enrolment (normal, suspended, …); yuan."""

    grant_id: int
    grantor_id: int
    grantor_name: str
    bound_on: datetime.date
    limit: Decimal | None
    uses_care: bool
    account_id: int
    status: str


@dataclass(frozen=True, kw_only=True)
class CareFacts:
    """A patient on a day of care and of settlement; years are benefit years of his region."""

    member_id: int
    name: str
    region_id: str
    insurance: str
    person: Person
    two_buckets: bool
    account_id: int | None
    signed_institution_id: int | None
    settled_year: int
    counted_year: int
    scheme: SchemeVersion
    rules: SharingRules | None
    grantors: tuple[GrantorAccount, ...]
    wallet_id: int | None


def care_facts(
    *,
    member_id: int,
    kind: str,
    on: datetime.date,
    service_on: datetime.date,
    use_family: bool = True,
    use_wallet: bool = False,
) -> CareFacts:
    """The facts of a bill: enrolment, scheme and sharing rules on the day of care; account, grants and wallet on that of
    settlement.

    `wallet_id`: of the patient's wallet, if it is to be used, he lets it pay bills, and his region takes part that day.

    Raises Refused: not_insured, closed, not_covered (no scheme on that day).
    """
    (text,) = send(Call(FACTS, [member_id, kind, on, service_on, use_family, use_wallet]))
    return facts_of(member_id, kind, service_on, text and from_json(text))


def decided_on(
    *,
    member_id: int,
    kind: str,
    on: datetime.date,
    service_on: datetime.date,
    use_account: bool,
    use_family: bool,
    use_wallet: bool,
) -> tuple[CareFacts, Mapping[int, Mapping[str, Decimal]], Mapping[int, Balance], Decimal]:
    """All that a quote is decided on, by one call: the facts, the counters by benefit year, what the accounts that may pay
    hold on the day of settlement, and what the wallet holds (0 if none may pay). Nothing is locked; amounts in yuan.

    Raises Refused as `care_facts` does.
    """
    at = moment(on)
    (text,) = send(Call(QUOTE, [member_id, kind, on, service_on, use_account, use_family, use_wallet, at]))
    found, counters, accounts, wallet = from_json(text)
    facts = facts_of(member_id, kind, service_on, found)
    usage: dict[int, dict[str, Decimal]] = {}
    for year, counter, amount in counters or ():
        usage.setdefault(year, {})[counter] = amount
    return facts, usage, shown(accounts or (), on), wallet or ZERO


def facts_of(member_id: int, kind: str, service_on: datetime.date, found: list[Any] | None) -> CareFacts:
    """The facts out of what the database gave. Raises Refused as `care_facts` does."""
    if found is None:
        raise Refused("not_insured")
    region_id, insurance, status, personal_status, retired_on, signed_id, birth, died_on, name, *rest = found
    two_buckets, account_id, settled_year, service_year, scheme_id, version, *rest = rest
    rules_id, rules_version, grants, wallet_id = rest
    if status == "closed" or (died_on is not None and service_on > day(died_on)):
        raise Refused("closed")
    if settled_year is None or service_year is None or scheme_id is None:
        raise Refused(
            "not_covered", why="no_scheme", region=region_id, insurance=insurance, kind=kind, on=service_on.isoformat()
        )
    scheme = scheme_version(scheme_id, version)
    by_settlement = scheme.scheme.accumulate_by == "settlement"
    return CareFacts(
        member_id=member_id,
        name=name,
        region_id=region_id,
        insurance=insurance,
        person=Person(
            birth=day(birth),
            status=personal_status,
            retired_on=day(retired_on) if retired_on else None,
            enrolment=status,
        ),
        two_buckets=two_buckets,
        account_id=account_id,
        signed_institution_id=signed_id,
        settled_year=settled_year,
        counted_year=settled_year if by_settlement else service_year,
        scheme=scheme,
        rules=rules_version_of(rules_id, rules_version) if rules_id else None,
        grantors=tuple(_grantor(*grant) for grant in grants or ()),
        wallet_id=wallet_id,
    )


def _grantor(
    grant_id: int,
    grantor_id: int,
    name: str,
    bound_on: str,
    limit: Decimal | None,
    uses_care: bool,
    account_id: int,
    status: str,
) -> GrantorAccount:
    return GrantorAccount(
        grant_id=grant_id,
        grantor_id=grantor_id,
        grantor_name=name,
        bound_on=day(bound_on),
        limit=limit,
        uses_care=uses_care,
        account_id=account_id,
        status=status,
    )

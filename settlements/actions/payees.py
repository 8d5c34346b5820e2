"""Who gets the money of an account that is closed, as a clerk enters them: shares, heirs, and where it goes."""

import datetime
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from accounts.crypto import blind_index
from accounts.domain import names
from accounts.errors import Refused
from accounts.masks import mask_name
from accounts.models import Member, Region, User
from accounts.queries import enrolment_on, find_member
from casework.actions import cases
from settlements.domain import withdrawal as rule
from settlements.domain.withdrawal import INHERITANCE, TRANSFER_OUT, Share
from settlements.enums import AccountStatus, PayeeWay
from settlements.models import Payee, WithdrawalApplication
from settlements.queries.member import account_of


@dataclass(frozen=True, kw_only=True)
class PayeeAsked:
    """A payee as the clerk enters him; `percent` with at most two decimals, `region` of a transfer within the portal."""

    way: str
    percent: Decimal = rule.WHOLE
    name: str = ""
    id_number: str = ""
    relation: str = ""
    bank: str = ""
    bank_account: str = ""
    region: Region | None = None


def write_payees(application: WithdrawalApplication, payees: Sequence[PayeeAsked], by: User, on: datetime.date) -> None:
    """Who gets what. Raises Refused: shares_not_whole, heir_twice, heir_is_deceased, payee_without_account, heir_is_insured,
    heir_of_another_name, own_case."""
    case, member = application.case, application.member
    people = [blind_index(asked.id_number) if asked.id_number else "" for asked in payees]
    shares = [Share(person=person, percent=asked.percent) for person, asked in zip(people, payees, strict=True)]
    found = rule.check_shares(shares, member.id_number_index if case.kind == INHERITANCE else "")
    if found:
        raise Refused(found[0].code, **found[0].params)
    rows = [_payee(application, position, asked, member, on) for position, asked in enumerate(payees, start=1)]
    cases.refuse_own(by, *(row.member_id for row in rows if row.member_id))
    Payee.objects.bulk_create(rows)


def _payee(
    application: WithdrawalApplication, position: int, asked: PayeeAsked, applicant: Member, on: datetime.date
) -> Payee:
    payee = Payee(
        application=application,
        position=position,
        way=asked.way,
        percent=asked.percent,
        name=asked.name,
        id_number=asked.id_number or None,
        relation=asked.relation,
        bank=asked.bank,
        bank_account=asked.bank_account or None,
        region=asked.region,
    )
    if application.case.kind == TRANSFER_OUT:
        payee.member = applicant
    elif application.case.kind == INHERITANCE and asked.way != PayeeWay.FUND:
        payee.member = _insured_heir(asked, on)
    return payee


def _insured_heir(asked: PayeeAsked, on: datetime.date) -> Member | None:
    """An heir who is insured as an employee gets it into his account; only who is not is paid out (DTH1, DTH2)."""
    heir = find_member(id_number=asked.id_number)
    if heir is not None and not names.same(heir.name, asked.name):
        # The number of somebody else, mistyped or not: the money would be his.
        raise Refused("heir_of_another_name", name=mask_name(asked.name))
    enrolment = enrolment_on(heir, on) if heir else None
    account = account_of(heir, on) if heir else None
    has_account = (
        enrolment is not None
        and enrolment.insurance == "employee"
        and account is not None
        and account.status == AccountStatus.OPEN
    )
    if asked.way == PayeeWay.ACCOUNT and not has_account:
        raise Refused("payee_without_account", name=mask_name(asked.name))
    if asked.way == PayeeWay.BANK and has_account:
        raise Refused("heir_is_insured", name=mask_name(asked.name))
    return heir

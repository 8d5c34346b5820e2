"""One of each thing that has an address of its own, and a browser for each kind of reader: fixtures of the whole suite."""

import datetime
from decimal import Decimal

import pytest
from django.core.cache import cache
from django.test import Client
from django.utils import timezone

from accounts import clock
from casework.actions import cases
from documents.models import IssuedDocument
from family.actions import sharing
from family.queries import commitment_on
from gateway.actions import keys
from settlements.actions import care, claims, premiums, wallet
from settlements.actions.regions import load, region_files
from settlements.models import BillReversal, Payee, Recalculation, WithdrawalApplication
from tests.people import make_people, make_region
from tests.support.ledger import open_account
from tests.support.pages import log_in
from tests.support.sharing import make_grant

READERS = ["anonymous", "member", "stranger", "clerk", "supervisor", "region_admin", "system_admin", "auditor"]


@pytest.fixture
def world(db):
    """People, and one of each thing that has an address of its own."""
    cache.clear()
    load(file for file in region_files() if "310000" in file.name)
    people = make_people(make_region())
    today, now = clock.today(), clock.now()
    open_account(people.holder.member, people.region, 2026, "500", "1000")
    application = sharing.apply(
        grantor=people.holder.member,
        beneficiary=people.spouse.member,
        relation="spouse",
        by=people.holder,
        at=now,
        commitment=commitment_on(today),
    )
    closing(people)
    grant = make_grant(people.holder.member, people.child, "child")
    bill = care.Bill(kind="outpatient", level="secondary", in_scope=Decimal(100))
    settled = care.settle(
        patient=people.holder.member, institution=people.institution, bill=bill, on=today, key="permissions"
    )
    paper = IssuedDocument.objects.create(
        number="ABCDEFGHJKLM",
        kind="statement",
        member=people.holder.member,
        subject=f"310000 {today}/{today}",
        sha256="0" * 64,
        issued_at=now,
        issued_by="member",
    )
    pay_and_send(people, today, now)
    hand_in(people, today, now)
    # A key of the demo, with which the till plays the institution.
    keys.issue(institution=people.institution, by=None, at=now)
    return people, application, grant, settled, paper


def pay_and_send(people, today, now) -> None:
    """A premium paid and one ordered, a wallet, and a transfer on its way."""
    member, child = people.holder.member, people.child
    beginning = today + datetime.timedelta(days=30)
    due = premiums.Premium(amount=Decimal(10), year=today.year + 1, benefit_from=beginning)
    premiums.pay(payer=member, insured=child, premium=due, on=today, key="permissions", by=people.holder)
    due = premiums.Premium(amount=Decimal(10), year=today.year + 2, benefit_from=beginning)
    premiums.order(payer=member, insured=child, premium=due, at=now, by=people.holder)
    noon = timezone.localtime(now).replace(hour=12)
    wallet.open_wallet(member=member, by=people.holder, at=noon)
    wallet.transfer(sender=member, receiver=child, amount=Decimal(10), at=noon, key="permissions", by=people.holder)


def hand_in(people, today, now) -> None:
    """A bill paid in cash, its reversal, and a year that is asked to be settled anew."""
    asked = claims.PaidBill(
        institution=people.institution,
        service_on=today,
        kind="outpatient",
        in_scope=Decimal(200),
        pre_self_pay=Decimal(0),
        self_paid=Decimal(0),
        invoice_number="00112233",
        bank="银行",
        bank_account="62220000",
    )
    claim = claims.submit_claim(patient=people.holder.member, asked=asked, by=people.holder, at=now)
    anew, back = (
        cases.open_case(
            kind=kind, applicant=people.holder.member, region=people.region, by=people.clerk, role="clerk", at=now
        )
        for kind in ("recalculation", "bill_reversal")
    )
    Recalculation.objects.create(case=anew, member=people.holder.member, benefit_year=2026)
    BillReversal.objects.create(case=back, claim=claim, reason="票据有误")


def closing(people) -> None:
    """A clerk has begun to close the holder's account."""
    case = cases.open_case(
        kind="withdrawal",
        applicant=people.holder.member,
        region=people.region,
        by=people.clerk,
        role="clerk",
        at=clock.now(),
    )
    account = people.holder.member.personal_accounts.get()
    asked = WithdrawalApplication.objects.create(case=case, account=account, reason="emigrated", since=clock.today())
    Payee.objects.create(
        application=asked,
        position=1,
        way="bank",
        percent=Decimal(100),
        name="沈某宁",
        bank="银行",
        bank_account="62220000",
    )


@pytest.fixture
def clients(world) -> dict[str, Client]:
    """A browser for each reader."""
    people = world[0]
    users = {reader: getattr(people, "holder" if reader == "member" else reader) for reader in READERS[1:]}
    return {"anonymous": Client()} | {reader: log_in(user) for reader, user in users.items()}

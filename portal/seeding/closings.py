"""Accounts that are closed, inherited, or about to be."""

import datetime
from decimal import Decimal

from django.utils import timezone

from accounts.models import Member, ServiceCentre
from accounts.queries import enrolment_on
from casework.actions.cases import decide
from portal.seeding import cast, staff
from portal.seeding.cast import SHANGHAI
from portal.seeding.claims import BANK, BANK_ACCOUNT
from settlements.actions import withdrawal
from settlements.actions.payees import PayeeAsked
from settlements.models import PersonalAccount, Settlement, WithdrawalApplication
from settlements.queries.withdrawal import open_things

DAY = datetime.timedelta(days=1)
# Somebody on the list of bills after a death, and two whose accounts are asked for.
PEOPLE = 7


def make(now: datetime.datetime) -> None:
    """An account to be paid out and an inheritance wait for the second check, another inheritance was granted, and a draft
    waits to be signed."""
    today = timezone.localdate(now)
    free = _free_people(today)
    if len(free) < PEOPLE:
        return  # a very small population
    people = iter(free)
    bank = {"way": "bank", "bank": BANK, "bank_account": BANK_ACCOUNT}
    emigrant = next(people)
    payee = PayeeAsked(name=emigrant.name, id_number=emigrant.id_number, **bank)
    _close(emigrant, "withdrawal", "emigrated", today, [payee], now, submitted=True)
    dead, heirs = next(people), [next(people), next(people)]
    # Heirs who are insured get it into their own accounts.
    payees = [
        PayeeAsked(way="account", name=heir.name, id_number=heir.id_number, relation="child", percent=Decimal(percent))
        for heir, percent in zip(heirs, ("60", "40"), strict=True)
    ]
    _close(dead, "inheritance", "died", today - 3 * DAY, payees, now, submitted=True)
    # His last bill came after his death: it stands among the bills after a death, and the heir has been paid.
    gone, heir = next(people), next(people)
    last = Settlement.objects.filter(patient=gone, reversed_on=None).latest("service_on").service_on
    payee = PayeeAsked(way="account", name=heir.name, id_number=heir.id_number, relation="child")
    done = _close(gone, "inheritance", "died", last - DAY, [payee], now, submitted=True)
    decide(case=done.case, verb="approve", by=staff.supervisor(SHANGHAI), at=now)
    mover = next(people)
    payee = PayeeAsked(name=mover.name, id_number=mover.id_number, **bank)
    _close(mover, "withdrawal", "gave_up", today, [payee], now, submitted=False)


def _free_people(today: datetime.date) -> list[Member]:
    """Insured employees of the region outside the cast, with money, without anything open; the same for the same seed."""
    accounts = PersonalAccount.objects.filter(region=SHANGHAI, status="open", historical__gt=100).select_related(
        "member"
    )
    accounts = accounts.filter(member__grants_given=None, debt=0).order_by("id")
    found = []
    for account in accounts[:200]:
        enrolment = enrolment_on(account.member, today)
        billed = Settlement.objects.filter(patient=account.member, reversed_on=None).exists()
        insured = billed and enrolment and (enrolment.insurance, enrolment.status) == ("employee", "normal")
        if account.member.id_number not in cast.NUMBERS and insured and not open_things(account):
            found.append(account.member)
        if len(found) == PEOPLE:
            break
    return found


def _close(
    member: Member,
    kind: str,
    reason: str,
    since: datetime.date,
    payees: list[PayeeAsked],
    at: datetime.datetime,
    *,
    submitted: bool,
) -> WithdrawalApplication:
    clerk = staff.clerk(SHANGHAI)
    application = withdrawal.draft(
        purse=PersonalAccount.objects.get(member=member, region=SHANGHAI),
        kind=kind,
        reason=reason,
        since=since,
        payees=payees,
        by=clerk,
        at=at,
        centre=ServiceCentre.objects.filter(region=SHANGHAI).first(),
    )
    if submitted:
        return withdrawal.submit(application=application, by=clerk, at=at, version=application.case.version)
    return application

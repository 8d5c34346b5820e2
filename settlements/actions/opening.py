"""Opening a personal account, empty or with the balances it had elsewhere; and opening a closed one again."""

import datetime
from collections.abc import Collection
from decimal import Decimal

from django.db import transaction
from django.db.models import Exists, OuterRef

from accounts.actions import audit, messages
from accounts.clock import now
from accounts.enums import Channel, EnrolmentStatus, Insurance
from accounts.models import BenefitYear, Enrolment, Member, User
from accounts.money import ZERO
from accounts.queries import valid_on
from settlements.enums import AccountStatus, Contra, EntryKind
from settlements.models import Entry, LedgerTransaction, PersonalAccount


@transaction.atomic
def open_account(
    *,
    member: Member,
    region_id: str,
    on: datetime.date,
    current: Decimal = ZERO,
    historical: Decimal = ZERO,
    debt: Decimal = ZERO,
    by: User | None = None,
) -> PersonalAccount:
    """Open a member's account in a region in the benefit year of a day, with opening balances in yuan.

    Raises IntegrityError for a second account in the region or a negative amount.
    """
    year = BenefitYear.objects.filter(region=region_id, starts_on__lte=on).latest("starts_on").year
    funded = bool(current or historical or debt)
    account = PersonalAccount.objects.create(
        member=member,
        region_id=region_id,
        benefit_year=year,
        current=current,
        historical=historical,
        debt=debt,
        version=int(funded),
        products_on=on,
        opened_on=on,
    )
    if funded:
        _enter(account, by)
    return account


@transaction.atomic
def reopen(*, region_id: str, on: datetime.date, members: Collection[int] | None = None) -> int:
    """Open the closed accounts of a region again whose members are insured there as employees on a day; how many.

    Of `members` only, where they are named (ids). It is the same account (one a member and region), empty, with the debt
    that it was closed with. Money that waits for the payees of the closing (late) goes to them first.
    """
    insured = Enrolment.objects.filter(
        valid_on(on),
        member=OuterRef("member"),
        region=region_id,
        insurance=Insurance.EMPLOYEE,
        status=EnrolmentStatus.NORMAL,
    )
    closed = PersonalAccount.objects.filter(Exists(insured), region=region_id, status=AccountStatus.CLOSED)
    closed = closed.filter(member__died_on=None)
    if members is not None:
        closed = closed.filter(member__in=members)
    # Locked in the order of their ids, as every movement locks them, and looked at again then: whoever has died or left
    # meanwhile changed that first and held his account last.
    held = list(closed.order_by("pk").select_for_update(no_key=True, of=("self",)).values_list("pk", flat=True))
    found = list(closed.filter(pk__in=held).select_related("member", "region").order_by("pk"))
    PersonalAccount.objects.filter(pk__in=[account.pk for account in found]).update(status=AccountStatus.OPEN)
    at = now()
    for account in found:
        audit.record(
            action="account_reopened",
            by=None,
            at=at,
            member=account.member,
            target=f"account {account.pk}",
            details={"insured_on": on.isoformat()},
            channel=Channel.SYSTEM,
        )
        params = {"region": account.region.local_name}
        messages.notify(member=account.member, kind="account_reopened", params=params, at=at)
    return len(found)


def _enter(account: PersonalAccount, by: User | None) -> None:
    """The opening balances as the account's first entry."""
    cause = LedgerTransaction.objects.create(
        kind=EntryKind.OPENING,
        business_date=account.opened_on,
        recorded_at=now(),
        region_id=account.region_id,
        scope="opening",
        key=str(account.pk),
        answer={},
        by=by,
    )
    Entry.objects.create(
        account=account,
        version=account.version,
        transaction=cause,
        kind=EntryKind.OPENING,
        business_date=account.opened_on,
        benefit_year=account.benefit_year,
        current_delta=account.current,
        historical_delta=account.historical,
        debt_delta=account.debt,
        current_after=account.current,
        historical_after=account.historical,
        debt_after=account.debt,
        contra=Contra.OPENING,
    )

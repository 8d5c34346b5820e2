"""Opening a personal account, empty or with the balances it had elsewhere."""

import datetime
from decimal import Decimal

from django.db import transaction

from accounts.clock import now
from accounts.models import BenefitYear, Member, User
from accounts.money import ZERO
from settlements.enums import Contra, EntryKind
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

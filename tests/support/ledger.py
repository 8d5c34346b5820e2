"""Accounts for tests, opened the way a real one is: the row and its opening entry in step."""

import datetime
import itertools
from decimal import Decimal

from accounts.clock import now
from accounts.models import BenefitYear, Member, Region
from accounts.money import ZERO
from settlements.enums import Contra, EntryKind
from settlements.ledger.books import Books, Movement, OpenAccount
from settlements.models import LedgerTransaction, PersonalAccount

_keys = itertools.count(1)


def open_account(
    member: Member,
    region: Region,
    year: int,
    current: Decimal | str = ZERO,
    historical: Decimal | str = ZERO,
    debt: Decimal | str = ZERO,
    on: datetime.date | None = None,
) -> PersonalAccount:
    """An account in a benefit year with these balances in yuan, opened on a day of it (its first, if none is given)."""
    on = on or BenefitYear.objects.get(region=region, year=year).starts_on
    account = PersonalAccount.objects.create(
        member=member, region=region, benefit_year=year, opened_on=on, products_on=on
    )
    move(account, on, current=Decimal(current), historical=Decimal(historical), debt=Decimal(debt), kind="opening")
    account.refresh_from_db()
    return account


def move(
    account: PersonalAccount,
    on: datetime.date,
    *,
    current: Decimal = ZERO,
    historical: Decimal = ZERO,
    debt: Decimal = ZERO,
    kind: str = EntryKind.CREDIT,
) -> None:
    """One movement of an account that is in the year of the day, with its transaction."""
    contra = {"opening": Contra.OPENING, "credit": Contra.CONTRIBUTION}.get(kind, Contra.CLEARING)
    transaction = LedgerTransaction.objects.create(
        kind=kind,
        business_date=on,
        recorded_at=now(),
        region_id=account.region_id,
        scope=f"test:{kind}",
        key=str(next(_keys)),
        answer={},
    )
    fields = [
        "id", "benefit_year", "version", "current", "historical", "debt", "current_products", "historical_products",
        "products_on",
    ]  # fmt: skip
    row = PersonalAccount.objects.filter(pk=account.pk).values(*fields).get()
    books = Books(patient_id=account.member_id, on=on, accounts={account.pk: OpenAccount(**row)})
    books.post(
        transaction.pk,
        [Movement(account_id=account.pk, kind=kind, contra=contra, current=current, historical=historical, debt=debt)],
    )

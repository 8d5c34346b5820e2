"""What holds for every table: amounts of one shape, facts that cannot be changed, money that hangs on nothing loose."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.apps import apps
from django.conf import settings
from django.contrib import admin
from django.db import IntegrityError, connection, models, transaction
from django.utils.functional import Promise

from accounts.models import AuditEvent
from settlements.models import LedgerTransaction, Settlement

APPS = ["accounts", "casework", "counter", "documents", "family", "gateway", "portal", "settlements"]

# Decimals that are no amount in yuan, or an amount of another size, each for its reason.
OTHER_DECIMALS = {
    # What an institution says, in the interface's num(16,2).
    "gateway.Difference.their_total": (16, 2),
    "gateway.Difference.their_fund": (16, 2),
    "gateway.Difference.their_accounts": (16, 2),
    "accounts.Enrolment.base": (10, 2),  # monthly wages as contributions count them
    "settlements.CatalogueItem.self_pay_percent": (5, 2),
    "settlements.CatalogueRow.percent_before": (5, 2),
    "settlements.CatalogueRow.self_pay_percent": (5, 2),
    "settlements.Clearing.base": (10, 2),
    "settlements.Contribution.base": (10, 2),
    "settlements.Entry.current_products": (20, 2),  # yuan times days
    "settlements.Entry.historical_products": (20, 2),
    "settlements.Payee.percent": (5, 2),
    "settlements.PersonalAccount.current_products": (20, 2),
    "settlements.PersonalAccount.historical_products": (20, 2),
    "settlements.RolloverAdjustment.current_rate": (7, 4),
    "settlements.RolloverAdjustment.historical_rate": (7, 4),
    "settlements.RolloverAdjustment.old_current_rate": (7, 4),
    "settlements.RolloverAdjustment.old_historical_rate": (7, 4),
    "settlements.RolloverRun.current_rate": (7, 4),
    "settlements.RolloverRun.historical_rate": (7, 4),
    "gateway.FeeLine.price": (16, 6),
    "gateway.FeeLine.quantity": (16, 4),
    "gateway.FeeLine.self_pay_percent": (5, 2),
}
FLOATS = {
    "settlements.CreditRun.worked_seconds",
    "settlements.RolloverRun.worked_seconds",
    "settlements.Trial.worked_seconds",
}
MONEY = [
    "gateway.FeeLine",
    "gateway.Stay",
    "gateway.Visit",
    "gateway.VisitSettlement",
    "settlements.Clawback",
    "settlements.Clearing",
    "settlements.Credit",
    "settlements.Entry",
    "settlements.LedgerTransaction",
    "settlements.Payout",
    "settlements.PersonalAccount",
    "settlements.PremiumOrder",
    "settlements.PremiumPayment",
    "settlements.RecalculatedBill",
    "settlements.Reimbursement",
    "settlements.Settlement",
    "settlements.SettlementPayer",
    "settlements.Usage",
    "settlements.Wallet",
    "settlements.WalletEntry",
    "settlements.WalletTransfer",
]
APPEND_ONLY = [
    "accounts_auditblock",
    "accounts_auditevent",
    "casework_caseevent",
    "gateway_reconciliation",
    "settlements_clawback",
    "settlements_clearing",
    "settlements_credit",
    "settlements_entry",
    "settlements_payout",
    "settlements_recalculatedbill",
    "settlements_settlementpayer",
    "settlements_walletentry",
]
# Of these a row changes once, by a rule of its own; none is ever taken out.
NEVER_LESS = [
    *APPEND_ONLY,
    "settlements_ledgertransaction",
    "settlements_premiumpayment",
    "settlements_settlement",
    "settlements_wallettransfer",
]


def our_models() -> list[type[models.Model]]:
    return [model for app in APPS for model in apps.get_app_config(app).get_models()]


def our_fields(kind: type[models.Field]) -> Iterator[tuple[str, models.Field]]:
    for model in our_models():
        for field in model._meta.concrete_fields:
            if isinstance(field, kind):
                yield f"{model._meta.label}.{field.name}", field


def test_every_amount_is_yuan_and_fen() -> None:
    shapes = {name: (field.max_digits, field.decimal_places) for name, field in our_fields(models.DecimalField)}
    wrong = {name: shape for name, shape in shapes.items() if shape != OTHER_DECIMALS.get(name, (14, 2))}
    assert (wrong, set(OTHER_DECIMALS) - set(shapes)) == ({}, set())
    assert {name for name, _field in our_fields(models.FloatField)} == FLOATS


def test_the_database_holds_the_same_shapes(db) -> None:
    tables = [model._meta.db_table for model in our_models()]
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT table_name, column_name, data_type FROM information_schema.columns"
            " WHERE table_name = ANY(%s) AND data_type IN ('real', 'double precision', 'money')",
            [tables],
        )
        found = {f"{table}.{column}" for table, column, _ in cursor.fetchall()}
        assert found == {
            "settlements_creditrun.worked_seconds",
            "settlements_rolloverrun.worked_seconds",
            "settlements_trial.worked_seconds",
        }


def test_money_hangs_on_nothing_that_can_be_deleted() -> None:
    loose = [
        f"{label}.{field.name}"
        for label in MONEY
        for field in apps.get_model(label)._meta.concrete_fields
        if field.is_relation and field.remote_field.on_delete is not models.PROTECT
    ]
    assert loose == []


def test_nothing_is_deleted_because_a_person_is() -> None:
    """What may go with a member is his inbox and his wish for an order; the rest keeps him in the register."""
    member = apps.get_model("accounts.Member")
    going = {
        relation.related_model._meta.label
        for relation in member._meta.related_objects
        if relation.on_delete is not models.PROTECT
    }
    assert going == {"accounts.Message", "family.DeductionOrder"}


def test_public_ids_cannot_be_guessed() -> None:
    ids = [field for name, field in our_fields(models.UUIDField) if name.endswith(".public_id")]
    assert len(ids) > 5
    assert all(field.unique and field.default.__name__ == "uuid4" and not field.editable for field in ids)


def test_what_the_administration_shows_has_a_name_in_both_languages() -> None:
    nameless = [
        model._meta.label
        for model in admin.site._registry
        if model._meta.app_label in APPS
        and not all(isinstance(name, Promise) for name in (model._meta.verbose_name, model._meta.verbose_name_plural))
    ]
    assert nameless == []


@pytest.mark.parametrize("app", APPS)
def test_migrations_say_what_they_do(app: str) -> None:
    names = [path.stem for path in sorted((Path(settings.BASE_DIR) / app / "migrations").glob("0*.py"))]
    assert [name for name in names if re.search(r"_auto_|_alter_.*_and_more|_\d{8}_", name)] == []
    assert [int(name[:4]) for name in names] == list(range(1, len(names) + 1))


def refused(statement: str) -> str:
    """What the database says; statements that it takes are an error."""
    with pytest.raises(IntegrityError) as error, transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)
    return str(error.value)


@pytest.mark.parametrize("table", APPEND_ONLY)
def test_facts_are_not_changed(db, table: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT column_name FROM information_schema.columns WHERE table_name = %s ORDER BY ordinal_position",
            [table],
        )
        column = cursor.fetchone()[0]
    assert "append-only" in refused(f"UPDATE {table} SET {column} = {column} WHERE false")


@pytest.mark.parametrize("table", NEVER_LESS)
def test_facts_are_not_taken_out(db, table: str) -> None:
    assert "append-only" in refused(f"DELETE FROM {table} WHERE false")
    assert "append-only" in refused(f"TRUNCATE {table} CASCADE")


def test_no_table_with_the_trigger_is_missing_here(db) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT tgrelid::regclass::text FROM pg_trigger WHERE tgname = 'append_only'")
        assert sorted(table for (table,) in cursor.fetchall()) == sorted(NEVER_LESS)


STAY = [
    "UPDATE settlements_ledgertransaction SET answer = '{}'",
    "UPDATE settlements_ledgertransaction SET key = 'another'",
    "UPDATE settlements_settlement SET cash = cash + 1",
    "UPDATE settlements_settlement SET patient_id = (SELECT max(id) FROM accounts_member)",
    "UPDATE settlements_settlement SET reversed_on = NULL",
]


def test_an_answer_and_a_settlement_stay_as_they_are(world) -> None:
    assert LedgerTransaction.objects.exclude(answer=None).exists()
    assert Settlement.objects.exists()
    for change in STAY:
        assert re.search("is answered|is a fact", refused(change))


def test_facts_are_not_changed_by_the_orm_either(world) -> None:
    event = AuditEvent.objects.first()
    event.reason = "another"
    with pytest.raises(IntegrityError), transaction.atomic():
        event.save()
    with pytest.raises(IntegrityError), transaction.atomic():
        AuditEvent.objects.all().delete()


# Two columns that are filled together or not at all; half a pair must not get into the database.
HALVES = [
    "UPDATE casework_case SET checked_at = now()",
    "UPDATE casework_case SET closed_at = now()",
    "UPDATE casework_case SET state = 'granted'",
    "UPDATE family_sharingapplication SET committed_at = NULL",
    "UPDATE family_sharingapplication SET consented_at = now(), declined_at = now()",
    "UPDATE family_sharingapplication SET beneficiary_id = grantor_id",
    "UPDATE family_sharinggrant SET beneficiary_id = grantor_id",
    "UPDATE family_sharinggrant SET ends_on = starts_on - 1",
    'UPDATE family_sharinggrant SET "limit" = -1',
    "UPDATE settlements_personalaccount SET current = -1",
]


def test_half_a_fact_is_refused(world) -> None:
    for half in HALVES:
        assert "violates check constraint" in refused(half)

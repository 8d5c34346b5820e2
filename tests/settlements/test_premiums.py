"""Premiums through the real actions: effect, log, every refusal, giving back, the month's collection, and races."""

import datetime
from decimal import Decimal
from functools import partial

import pytest
from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.db import DatabaseError, IntegrityError, connection, transaction

from accounts.errors import Refused
from accounts.models import AuditEvent, Enrolment, Message
from family.models import SharingGrant
from portal.celery import app
from settlements import ledger
from settlements.actions import premiums
from settlements.domain import premiums as rules
from settlements.models import Entry, LedgerTransaction, PremiumOrder, PremiumPayment
from settlements.queries import premiums as read
from tests.people import make_member, make_staff
from tests.settlements.rollover.world import faults, yuan
from tests.settlements.scene import BEIJING, make_scene, open_with, region_of_file, share
from tests.support.races import at_once
from tests.support.refusals import code_of

ON = datetime.date(2026, 11, 20)
BEGINS = datetime.date(2027, 1, 1)
SHANGHAI = datetime.timezone(datetime.timedelta(hours=8))


def moment(day: datetime.date, hour: int = 12, minute: int = 0) -> datetime.datetime:
    return datetime.datetime.combine(day, datetime.time(hour, minute), SHANGHAI)


def due(amount: str = "400.00", year: int = 2027, **more) -> premiums.Premium:
    return premiums.Premium(amount=yuan(amount), year=year, benefit_from=datetime.date(year, 1, 1), **more)


@pytest.fixture
def scene(db):
    return make_scene(on=ON)


@pytest.fixture
def child(scene):
    member = make_member("沈小禾", datetime.date(2016, 4, 4), region=scene.region, insurance="resident")
    share(scene.daughter.member, member, "child", scene.region, ON - datetime.timedelta(days=9))
    return member


def pay(scene, insured, premium=None, key="k", by="daughter", payer=None, on=ON):
    by = getattr(scene, by) if isinstance(by, str) else by
    payer = payer or scene.daughter.member
    return premiums.pay(payer=payer, insured=insured, premium=premium or due(), on=on, key=key, by=by)


def shown(scene):
    return ledger.balances([scene.account.pk], ON)[scene.account.pk]


def test_a_premium_is_paid_out_of_historical_and_both_are_told(scene, child):
    before = shown(scene)
    payment = pay(scene, child)
    after = shown(scene)
    assert (after.current, after.historical) == (before.current, before.historical - yuan("400.00"))
    assert (payment.current, payment.historical, payment.grant.beneficiary) == (0, yuan("400.00"), child)
    entry = Entry.objects.get(transaction=payment.transaction)
    assert (entry.kind, entry.contra, entry.contra_id) == ("premium", "premium", payment.pk)
    assert payment.transaction.by == scene.daughter
    told = Message.objects.filter(kind="premium_paid").values_list("member", flat=True)
    assert set(told) == {scene.daughter.member_id, child.pk}
    assert faults(ON) == []


def test_the_same_key_gives_the_first_payment_again(scene, child):
    assert pay(scene, child) == pay(scene, child)
    assert PremiumPayment.objects.count() == 1


def test_the_same_key_gives_it_again_when_the_world_has_changed_since(scene, child):
    """The answer was lost, then the grant ended: the payment stands, and whoever asks again hears of it."""
    first = pay(scene, child)
    SharingGrant.objects.update(ends_on=ON)
    assert pay(scene, child) == first
    assert code_of(lambda: pay(scene, child, key="other")) == "not_permitted"
    assert code_of(lambda: pay(scene, child, due("1.00"))) == "not_permitted"
    with pytest.raises(PermissionDenied):
        premiums.refund(payment=first, on=ON, by=scene.stranger)
    assert code_of(lambda: pay(scene, child, by="stranger")) == "not_permitted"


def test_never_twice_for_person_insurance_and_year(scene, child):
    pay(scene, child)
    assert code_of(lambda: pay(scene, child, key="other")) == "duplicate"
    pay(scene, child, due(year=2028), key="next year")
    payment = PremiumPayment.objects.get(year=2027)
    twin = PremiumPayment.objects.get(year=2028)
    with pytest.raises(IntegrityError, match="premium_once"), transaction.atomic():
        PremiumPayment.objects.create(
            insured=payment.insured, payer=payment.payer, region=payment.region, insurance="resident", year=2027,
            amount=1, historical=1, transaction=LedgerTransaction.objects.exclude(premium__isnull=False).first(),
            account=twin.account, benefit_year=2026, paid_on=ON, benefit_from=BEGINS,
        )  # fmt: skip


def test_ones_own_premium_needs_no_grant_and_works_while_suspended(scene):
    Enrolment.objects.filter(member=scene.daughter.member).update(status="suspended")
    payment = pay(scene, scene.daughter.member)
    assert payment.grant is None


def suspended(scene, child):
    Enrolment.objects.filter(member=scene.daughter.member).update(status="suspended")


def frozen(scene, child):
    Enrolment.objects.filter(member=scene.daughter.member).update(status="frozen")


def resident(scene, child):
    Enrolment.objects.filter(member=scene.daughter.member).update(insurance="resident")


def not_insured(scene, child):
    Enrolment.objects.filter(member=scene.daughter.member).delete()


def no_grant(scene, child):
    SharingGrant.objects.filter(beneficiary=child).update(ends_on=ON)


def paused(scene, child):
    SharingGrant.objects.filter(beneficiary=child).update(paused_at=moment(ON))


def for_care_only(scene, child):
    SharingGrant.objects.filter(beneficiary=child).update(uses_premium=False)


def died(scene, child):
    scene.daughter.member.died_on = ON
    scene.daughter.member.save()


@pytest.mark.parametrize(
    ("spoil", "code"),
    [
        (suspended, "suspended"),
        (frozen, "frozen"),
        (resident, "not_permitted"),
        (not_insured, "not_insured"),
        (no_grant, "not_permitted"),
        (paused, "not_permitted"),
        (for_care_only, "not_permitted"),
        (died, "closed"),
    ],
)
def test_what_is_refused(scene, child, spoil, code):
    spoil(scene, child)
    before = shown(scene)
    assert code_of(lambda: pay(scene, child)) == code
    assert shown(scene) == before
    assert faults(ON) == []


def test_permission_comes_before_money_and_number_before_it(scene, child):
    assert code_of(lambda: pay(scene, child, due("9000.00"))) == "insufficient_balance"
    pay(scene, child, key="first")
    assert code_of(lambda: pay(scene, child, due("9000.00"), key="second")) == "duplicate"
    no_grant(scene, child)
    assert code_of(lambda: pay(scene, child, due("9000.00"), key="third")) == "not_permitted"


@pytest.mark.parametrize("amount", ["0.00", "-1.00", "1.001"])
def test_what_is_no_amount_is_a_mistake_of_the_caller(scene, child, amount):
    with pytest.raises(ValueError, match="premium"):
        pay(scene, child, due(amount))


def test_only_the_payer_or_a_clerk_of_the_region(scene, child):
    elsewhere = make_staff("clerk", region=region_of_file(BEIJING))
    for by in (scene.father, scene.stranger, elsewhere, make_staff("auditor")):
        with pytest.raises(PermissionDenied):
            pay(scene, child, by=by)
    assert pay(scene, child, by=make_staff("clerk", region=scene.region)).transaction.by.is_staff


def test_given_back_whole_to_the_account_that_paid(scene, child):
    before = shown(scene)
    payment = pay(scene, child)
    premiums.refund(payment=payment, on=ON, by=scene.daughter)
    assert payment.refunded_on == ON
    assert shown(scene).historical == before.historical
    assert payment.transaction.reversed_by.by == scene.daughter
    assert Message.objects.filter(kind="premium_refunded").count() == 2
    assert code_of(lambda: premiums.refund(payment=payment, on=ON)) == "duplicate"
    assert pay(scene, child, key="again").pk != payment.pk
    assert faults(ON) == []


def test_a_refund_sent_again_gets_its_first_answer_whatever_happened_since(scene, child):
    payment = pay(scene, child)
    for _ in range(2):
        assert premiums.refund(payment=payment, on=ON, by=scene.daughter, key="form").refunded_on == ON
    # Paid anew since: the old form asks for the old payment and touches nothing else.
    again = pay(scene, child, key="again")
    premiums.refund(payment=payment, on=BEGINS, by=scene.daughter, key="form")
    again.refresh_from_db()
    assert again.refunded_on is None
    assert LedgerTransaction.objects.filter(reverses=payment.transaction).count() == 1
    assert code_of(lambda: premiums.refund(payment=again, on=BEGINS, key="late")) == "benefits_begun"
    assert code_of(lambda: premiums.refund(payment=again, on=ON, key="late")) == "benefits_begun"
    assert faults(ON) == []


def test_what_came_from_current_of_a_closed_year_comes_back_to_historical(scene, child):
    june = datetime.date(2027, 6, 30)
    premium = due("400.00", 2028, buckets=("current", "historical"))
    payment = pay(scene, child, premium, on=june)
    assert payment.current == yuan("400.00")
    premiums.refund(payment=payment, on=datetime.date(2027, 7, 1))
    entry = Entry.objects.get(transaction=payment.transaction.reversed_by)
    assert (entry.current_delta, entry.historical_delta) == (0, yuan("400.00"))
    assert faults(datetime.date(2027, 7, 1)) == []


def test_not_given_back_once_benefits_have_begun(scene, child):
    payment = pay(scene, child)
    assert code_of(lambda: premiums.refund(payment=payment, on=BEGINS)) == "benefits_begun"
    with pytest.raises(PermissionDenied):
        premiums.refund(payment=payment, on=ON, by=scene.father)
    premiums.refund(payment=payment, on=BEGINS - datetime.timedelta(days=1))
    assert faults(ON) == []


def test_a_payment_is_a_fact(scene, child):
    payment = pay(scene, child)
    changes = [
        lambda: PremiumPayment.objects.update(amount=1, historical=1),
        lambda: PremiumPayment.objects.update(refunded_on=ON, year=2000),
        lambda: PremiumPayment.objects.all().delete(),
    ]
    for change in changes:
        with pytest.raises(DatabaseError), transaction.atomic():
            change()
    premiums.refund(payment=payment, on=ON)
    with pytest.raises(DatabaseError, match="fact"), transaction.atomic():
        PremiumPayment.objects.update(refunded_on=None)


# What is asked: tariff and window


@pytest.mark.parametrize(
    ("at", "code"),
    [
        (moment(datetime.date(2026, 11, 6), 23, 59), "window_closed"),
        (moment(datetime.date(2026, 11, 7), 0, 0), None),
        (moment(datetime.date(2026, 12, 25), 23, 59), None),
        (moment(datetime.date(2026, 12, 26), 0, 0), "window_closed"),
        (moment(datetime.date(2024, 12, 25), 17, 29), None),
        (moment(datetime.date(2024, 12, 25), 17, 30), "window_closed"),
    ],
)
def test_a_window_to_the_minute(scene, child, at, code):
    try:
        premium, window = premiums.premium_of(child, "student", at)
    except Refused as refused:
        assert refused.code == code
    else:
        assert code is None
        assert (premium.year, premium.benefit_from) == (window.year, datetime.date(window.year, 1, 1))


def test_the_amount_is_the_tariffs(scene, child):
    premium, _ = premiums.premium_of(child, "student", moment(datetime.date(2025, 11, 20)))
    assert (premium.amount, premium.group_names["en"]) == (yuan("400.00"), "Pupils, small children and students")
    assert code_of(lambda: premiums.premium_of(child, "aged_70", moment(ON))) == "not_covered"
    assert code_of(lambda: premiums.premium_of(child, "assisted", moment(datetime.date(2024, 12, 1)))) == "own_route"
    assert code_of(lambda: premiums.premium_of(scene.father.member, "aged_60", moment(ON))) == "not_covered"


def test_people_to_pay_for_with_the_reason_against(scene, child):
    found = read.people_to_pay_for(scene.daughter.member, ON)
    reasons = {choice.member.pk: choice.refused.code if choice.refused else None for choice in found}
    assert reasons == {
        scene.daughter.member_id: "not_covered",
        scene.father.member_id: "not_covered",
        child.pk: None,
    }


# The month's end


@pytest.fixture
def capital(db):
    scene = make_scene(code=BEIJING, on=ON, current="0.00", historical="500.00")
    child = make_member("方小禾", datetime.date(2016, 4, 4), region=scene.region, insurance="resident")
    share(scene.daughter.member, child, "child", scene.region, ON - datetime.timedelta(days=9))
    return scene, child


def order(scene, insured, premium=None, at=None):
    at = at or moment(ON)
    return premiums.order(
        payer=scene.daughter.member, insured=insured, premium=premium or due(), at=at, by=scene.daughter
    )


LAST = datetime.date(2026, 11, 30)


def test_an_order_is_debited_on_the_last_day_of_the_month(capital):
    scene, child = capital
    ordered = order(scene, child)
    assert (ordered.due_on, shown(scene).historical) == (LAST, yuan("500.00"))
    assert AuditEvent.objects.filter(action="premium_ordered", member_id=scene.daughter.member_id).count() == 1
    assert premiums.collect(at=moment(LAST - datetime.timedelta(days=1), 20)) == (0, 0)
    assert premiums.collect(at=moment(LAST, 20)) == (1, 0)
    ordered.refresh_from_db()
    assert (ordered.state, ordered.payment.amount, ordered.payment.paid_on) == ("paid", yuan("400.00"), LAST)
    assert premiums.collect(at=moment(LAST, 21)) == (0, 0)
    assert shown(scene).historical == yuan("100.00")
    assert faults(LAST) == []


def test_an_order_after_the_debit_names_the_next_day_and_is_debited_then(capital):
    scene, child = capital
    ordered = order(scene, child, at=moment(LAST, 20))
    after = LAST + datetime.timedelta(days=1)
    assert ordered.due_on == after
    assert premiums.collect(at=moment(LAST, 21)) == (0, 0)
    assert premiums.collect(at=moment(after, 20)) == (1, 0)
    ordered.refresh_from_db()
    assert ordered.payment.paid_on == ordered.due_on


def test_the_debit_is_made_at_the_hour_that_orders_are_told_by():
    schedule = app.conf.beat_schedule["collect-premiums"]["schedule"]
    assert (schedule.hour, schedule.minute) == ({rules.DEBIT_AT.hour}, {rules.DEBIT_AT.minute})
    assert app.conf.timezone == settings.TIME_ZONE


def test_what_fails_goes_to_the_tax_office_and_the_payer_is_told(capital):
    scene, child = capital
    ordered = order(scene, child, due("500.01"))
    assert premiums.collect(at=moment(LAST, 20)) == (0, 1)
    ordered.refresh_from_db()
    assert (ordered.state, ordered.refused, ordered.payment) == ("failed", "insufficient_balance", None)
    assert Message.objects.get(kind="premium_failed").member_id == scene.daughter.member_id
    assert shown(scene).historical == yuan("500.00")
    assert faults(LAST) == []


def test_orders_do_not_double_and_can_be_taken_back(capital):
    scene, child = capital
    first = order(scene, child)
    assert code_of(lambda: order(scene, child)) == "duplicate"
    with pytest.raises(PermissionDenied):
        premiums.withdraw(order=first, at=moment(ON), by=scene.father)
    premiums.withdraw(order=first, at=moment(ON), by=scene.daughter)
    assert AuditEvent.objects.filter(action="premium_order_withdrawn").count() == 1
    assert code_of(lambda: premiums.withdraw(order=first, at=moment(ON))) == "changed_meanwhile"
    order(scene, child)
    assert premiums.collect(at=moment(LAST, 20)) == (1, 0)
    assert code_of(lambda: order(scene, child)) == "duplicate"
    assert PremiumOrder.objects.values_list("state", flat=True).order_by("id").first() == "withdrawn"


def test_one_order_that_fails_holds_up_no_other(capital):
    scene, child = capital
    poor = make_member("贾某", region=scene.region)
    open_with(poor, scene.region, ON, "0.00", "1.00", two=False)
    other = make_member("贾小某", datetime.date(2015, 1, 1), region=scene.region, insurance="resident")
    share(poor, other, "child", scene.region, ON)
    premiums.order(payer=poor, insured=other, premium=due(), at=moment(ON))
    order(scene, child)
    assert premiums.collect(at=moment(LAST, 20)) == (1, 1)


# At once


@pytest.mark.django_db(transaction=True)
def test_two_accounts_for_one_person_at_once():
    scene = make_scene(on=ON)
    child = make_member("沈小禾", datetime.date(2016, 4, 4), region=scene.region, insurance="resident")
    for parent in (scene.daughter.member, scene.father.member):
        share(parent, child, "child", scene.region, ON)
    payers = [scene.daughter.member, scene.father.member] * 2
    outcomes = at_once(
        *(
            partial(
                lambda payer, key: (
                    premiums.pay(payer=payer, insured=child, premium=due("100.00"), on=ON, key=key).amount
                ),
                payer,
                f"k{number}",
            )
            for number, payer in enumerate(payers)
        )
    )
    assert outcomes == [str(Decimal("100.00")), "duplicate", "duplicate", "duplicate"]
    assert PremiumPayment.objects.count() == 1
    assert faults(ON) == []


@pytest.mark.django_db(transaction=True)
def test_two_workers_collect_and_two_refunds_at_once():
    scene = make_scene(code=BEIJING, on=ON, current="0.00", historical="500.00")
    child = make_member("方小禾", datetime.date(2016, 4, 4), region=scene.region, insurance="resident")
    share(scene.daughter.member, child, "child", scene.region, ON)
    order(scene, child)
    assert at_once(*[lambda: premiums.collect(at=moment(LAST, 20))] * 2) == ["(0, 0)", "(1, 0)"]
    payment = PremiumPayment.objects.get()
    outcomes = at_once(
        *[lambda: premiums.refund(payment=PremiumPayment.objects.get(pk=payment.pk), on=LAST).refunded_on] * 2
    )
    assert outcomes == [str(LAST), "duplicate"]
    assert shown(scene).historical == yuan("500.00")
    assert faults(LAST) == []


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE settlements_premiumpayment SET historical = historical - 0.01, amount = amount - 0.01",
        "UPDATE settlements_premiumpayment SET refunded_on = paid_on",
        "UPDATE settlements_entry SET contra_id = contra_id + 1 WHERE kind = 'premium'",
    ],
)
def test_check_ledger_finds_one_fen_of_a_premium(scene, child, statement):
    pay(scene, child)
    assert faults(ON) == []
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        for table in ("premiumpayment", "entry"):
            cursor.execute(f"ALTER TABLE settlements_{table} DISABLE TRIGGER USER")
        cursor.execute(statement)
    assert "premiums are what was booked, refunds whole" in [fault.check.name for fault in faults(ON)]

"""Wallet transfers by table and by property: hours, number, limit, money, and the moment of the return."""

import datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from settlements.domain import wallet
from settlements.domain.wallet import SHANGHAI, Purse


def moment(text: str) -> datetime.datetime:
    return datetime.datetime.fromisoformat(text).replace(tzinfo=SHANGHAI)


def purse(available: str = "7000.00", sent_today: int = 0, pending: bool = False) -> Purse:
    return Purse(available=Decimal(available), sent_today=sent_today, pending=pending)


@pytest.mark.parametrize(
    ("at", "open_"),
    [
        ("2025-09-10T05:59:59.999999", False),
        ("2025-09-10T06:00:00", True),
        ("2025-09-10T21:59:59.999999", True),
        ("2025-09-10T22:00:00", False),
        ("2025-09-10T00:00:00", False),
    ],
)
def test_hours(at, open_):
    assert wallet.in_hours(moment(at)) is open_


def test_the_hour_is_that_of_shanghai():
    assert wallet.in_hours(datetime.datetime(2025, 9, 9, 22, 0, tzinfo=datetime.UTC))
    assert not wallet.in_hours(datetime.datetime(2025, 9, 9, 14, 0, tzinfo=datetime.UTC))


@pytest.mark.parametrize(
    ("sent", "back"),
    [
        ("2025-09-10T06:00:00", "2025-09-11T06:00:00"),
        ("2025-09-10T21:59:59", "2025-09-11T06:00:00"),
        ("2025-12-31T12:00:00", "2026-01-01T06:00:00"),
        ("2024-02-28T12:00:00", "2024-02-29T06:00:00"),
    ],
)
def test_back_at_six_of_the_next_day(sent, back):
    assert wallet.expires_at(moment(sent)) == moment(back)


NOON, NIGHT = "2025-09-10T12:00:00", "2025-09-10T22:00:00"


@pytest.mark.parametrize(
    ("amount", "at", "state", "code"),
    [
        ("2000.00", NOON, purse(), None),
        ("0.01", NOON, purse(), None),
        ("7.00", NOON, purse(available="7.00"), None),
        ("2000.01", NOON, purse(), "over_transfer_limit"),
        ("1.00", NOON, purse(sent_today=3), "over_transfer_limit"),
        ("1.00", NOON, purse(sent_today=2), None),
        ("1.00", NOON, purse(pending=True), "transfer_pending"),
        ("7.01", NOON, purse(available="7.00"), "insufficient_balance"),
        ("0.00", NOON, purse(), "amount_too_small"),
        ("1.00", NIGHT, purse(), "outside_hours"),
        # Where several hold: hours, number, limit, money.
        ("2000.01", NIGHT, purse(available="0.00", sent_today=3, pending=True), "outside_hours"),
        ("2000.01", NOON, purse(available="0.00", sent_today=3, pending=True), "transfer_pending"),
        ("9000.00", NOON, purse(available="0.00"), "over_transfer_limit"),
    ],
)
def test_what_is_refused(amount, at, state, code):
    assert wallet.refusal(Decimal(amount), moment(at), state) == code


@given(
    st.integers(-100, 300000).map(lambda fens: Decimal(fens).scaleb(-2)),
    st.datetimes(datetime.datetime(2024, 1, 1), datetime.datetime(2030, 1, 1)),
    st.integers(0, 300000).map(lambda fens: Decimal(fens).scaleb(-2)),
    st.integers(0, 5),
    st.booleans(),
)
def test_what_is_sent_keeps_every_rule(amount, at, available, sent_today, pending):
    at = at.replace(tzinfo=SHANGHAI)
    state = Purse(available=available, sent_today=sent_today, pending=pending)
    rules = [wallet.in_hours(at), not pending, sent_today < 3, Decimal(0) < amount <= wallet.MOST, amount <= available]
    assert (wallet.refusal(amount, at, state) is None) == all(rules)


@given(st.datetimes(datetime.datetime(2024, 1, 1), datetime.datetime(2030, 1, 1)))
def test_the_return_lies_within_a_day_and_a_half_and_in_the_morning(sent):
    sent = sent.replace(tzinfo=SHANGHAI)
    back = wallet.expires_at(sent)
    assert datetime.timedelta(hours=6) < back - sent <= datetime.timedelta(hours=30)
    assert back.timetz().replace(tzinfo=None) == wallet.OPENS

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.money import MAX_AMOUNT, BadAmount, fen, is_fen, parse_amount, plain

FENS = st.integers(0, 9_999_999_999).map(lambda fens: Decimal(fens).scaleb(-2))
FRACTIONS = st.fractions(min_value=-1_000_000, max_value=1_000_000)


@pytest.mark.parametrize(
    ("exact", "rounded"),
    [
        (Decimal("75.045"), "75.05"),
        (Decimal("75.0449"), "75.04"),
        (Decimal("-0.005"), "-0.01"),
        (Fraction(1, 3), "0.33"),
        (Fraction(2, 3), "0.67"),
        (Fraction(1, 200), "0.01"),
        (Fraction(-1, 200), "-0.01"),
        (Fraction(0), "0.00"),
        (7, "7.00"),
    ],
)
def test_half_up_to_the_fen(exact: Decimal | Fraction, rounded: str) -> None:
    assert str(fen(exact)) == rounded


@given(FRACTIONS)
def test_rounding_moves_by_half_a_fen_at_most(exact: Fraction) -> None:
    assert abs(Fraction(fen(exact)) - exact) <= Fraction(1, 200)
    assert fen(fen(exact)) == fen(exact)
    assert fen(-exact) == -fen(exact)


@given(FRACTIONS, FRACTIONS)
def test_rounding_keeps_the_order(one: Fraction, other: Fraction) -> None:
    assert (one <= other) <= (fen(one) <= fen(other))


@given(FENS)
def test_what_is_shown_reads_back(amount: Decimal) -> None:
    assert parse_amount(plain(amount)) == amount
    assert is_fen(amount)


@pytest.mark.parametrize(
    ("text", "amount"), [("12", "12.00"), ("12.5", "12.50"), (" 0012.50 ", "12.50"), (str(MAX_AMOUNT), "99999999.99")]
)
def test_amounts_as_people_write_them(text: str, amount: str) -> None:
    assert str(parse_amount(text)) == amount


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "amount_missing"),
        ("   ", "amount_missing"),
        ("1.234", "amount_format"),
        ("1,234", "amount_format"),
        ("1.", "amount_format"),
        (".5", "amount_format"),
        ("-1", "amount_format"),
        ("+1", "amount_format"),
        ("1e3", "amount_format"),
        ("\uff11\uff12", "amount_format"),
        ("١٢", "amount_format"),
        ("1 000", "amount_format"),
        ("NaN", "amount_format"),
        ("100000000.00", "amount_too_large"),
        ("9" * 400, "amount_too_large"),
    ],
)
def test_what_is_no_amount(text: str, code: str) -> None:
    with pytest.raises(BadAmount) as caught:
        parse_amount(text)
    assert caught.value.code == code


def test_a_sign_only_where_it_is_allowed() -> None:
    assert parse_amount("-1.50", signed=True) == Decimal("-1.50")
    with pytest.raises(BadAmount):
        parse_amount("--1", signed=True)


def test_nothing_that_is_no_number_is_an_amount() -> None:
    assert not is_fen(Decimal("0.001"))
    assert not is_fen(Decimal("NaN"))
    assert not is_fen(Decimal("Infinity"))

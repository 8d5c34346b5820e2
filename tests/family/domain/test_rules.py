import datetime
from typing import Any

import pytest

from accounts.domain.reading import BadData
from family.domain.rules import SharingRules

DATA: dict[str, Any] = {
    "relations": ["spouse", "parent", "child"],
    "same_region": True,
    "mutual": False,
    "order": "filed",
    "order_adjustable": True,
    "uses": ["pay", "premium"],
    "keep": "0.00",
    "verification_age": 16,
    "review": "window",
    "unbind_min_months": 3,
    "unbind_effect": "next_day",
    "consent_days": 30,
    "source": "HN4",
    "grade": "C",
}


def test_what_is_left_out_has_no_limit() -> None:
    rules = SharingRules.from_data(DATA)

    assert (rules.max_beneficiaries, rules.max_grantors, rules.max_per_relation) == (None, None, {})
    assert (rules.unbind_min_months, rules.unbind_effect) == (3, "next_day")


def test_accounts_pay_from_a_day_where_binding_opened_earlier() -> None:
    # As JSON keeps it, and as TOML gives it.
    for day in ("2022-08-01", datetime.date(2022, 8, 1)):
        rules = SharingRules.from_data({**DATA, "usable_from": day})
        assert not rules.pays_on(datetime.date(2022, 7, 31))
        assert rules.pays_on(datetime.date(2022, 8, 1))
    assert SharingRules.from_data(DATA).pays_on(datetime.date(2022, 7, 1))


def test_limits_by_relation() -> None:
    rules = SharingRules.from_data({**DATA, "max_per_relation": {"spouse": 1, "child": 3}, "max_beneficiaries": 6})
    assert rules.max_per_relation == {"spouse": 1, "child": 3}


@pytest.mark.parametrize(
    ("more", "code", "key"),
    [
        ({"relations": []}, "empty", "relations"),
        ({"relations": ["parent_in_law"]}, "not_one_of", "relations[1]"),
        ({"relations": ["child", "child"]}, "repeated", "relations[2]"),
        ({"uses": ["care"]}, "not_one_of", "uses[1]"),
        ({"order": "random"}, "not_one_of", "order"),
        ({"review": "sometimes"}, "not_one_of", "review"),
        ({"max_grantors": 0}, "out_of_range", "max_grantors"),
        ({"max_per_relation": {"cousin": 1}}, "unknown_key", "max_per_relation.cousin"),
        ({"verification_age": "16"}, "wrong_type", "verification_age"),
        ({"unbind_min_months": True}, "wrong_type", "unbind_min_months"),
        ({"keep": "-1.00"}, "bad_amount", "keep"),
        ({"usable_from": "August"}, "bad_date", "usable_from"),
        ({"grade": "AA"}, "not_one_of", "grade"),
        ({"own_first": True}, "unknown_key", "own_first"),
    ],
)
def test_mistakes_name_their_place(more: dict[str, Any], code: str, key: str) -> None:
    with pytest.raises(BadData) as caught:
        SharingRules.from_data({**DATA, **more})
    assert (caught.value.code, caught.value.key) == (code, key)

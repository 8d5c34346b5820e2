import copy
import datetime
import json
from decimal import Decimal
from typing import Any

import pytest

from accounts.domain.reading import BadData
from settlements.domain.assessment import Claim, assess
from settlements.domain.parameters import Person
from settlements.domain.scheme import AccountStage, Payer, RateStage, Scheme
from tests.settlements.domain.world import (
    BEIJING,
    BORN,
    CHONGQING,
    HANGZHOU,
    ROOT,
    SHANGHAI,
    SHENYANG,
    SUZHOU,
    TENGZHOU,
    VALLEY,
    ZHENGZHOU,
    patient,
    region,
)

ON = datetime.date(2025, 9, 10)

PAYERS = {"in_scope": ["historical", "shared"], "pre_self_pay": [], "self_paid": []}
RATE = {"kind": "rate", "counter": "fund", "rate": "70"}
CAPPED = {**RATE, "cap": "100.00"}
SUPPLEMENT = {"kind": "supplement", "rate": "bill", "counter": "supplement"}
DEDUCTIBLE = {"kind": "deductible", "scope": "year", "counter": "deductible", "amount": "100.00"}
ACCOUNT = {"kind": "account", "bucket": "current"}
EVERY_REGION = (SHANGHAI, BEIJING, SHENYANG, ZHENGZHOU, HANGZHOU, TENGZHOU, SUZHOU, VALLEY)


def data(*stages: dict[str, Any], **more: Any) -> dict[str, Any]:
    return copy.deepcopy(
        {"source": "SH1", "grade": "A", "accumulate_by": "service", "payers": PAYERS, "stage": list(stages), **more}
    )


def refused(changed: dict[str, Any]) -> tuple[str, str]:
    with pytest.raises(BadData) as caught:
        Scheme.from_data(changed)
    return caught.value.code, caught.value.key


@pytest.mark.parametrize("code", EVERY_REGION)
def test_what_the_database_keeps_gives_the_same_scheme(code: str) -> None:
    versions = region(code).schemes
    assert versions
    for version in versions:
        assert Scheme.from_data(json.loads(json.dumps(version.data))) == version.scheme


def test_a_stage_without_a_source_has_that_of_the_scheme() -> None:
    scheme = Scheme.from_data(data(ACCOUNT, {**RATE, "source": "SH6"}))

    account, rate = scheme.stages
    assert isinstance(account, AccountStage) and account.source == "SH1"
    assert isinstance(rate, RateStage) and rate.source == "SH6"


def test_a_payer_may_give_only_what_is_above_an_amount() -> None:
    payers = {**PAYERS, "self_paid": [{"bucket": "historical", "above": "6000.00"}]}
    [payer] = Scheme.from_data(data(payers=payers)).payers["self_paid"]

    assert isinstance(payer, Payer)
    assert (payer.bucket, str(payer.above)) == ("historical", "6000.00")


@pytest.mark.parametrize(
    "stages",
    [
        [RATE, DEDUCTIBLE],
        [RATE, ACCOUNT],
        [RATE, RATE],
        [RATE, SUPPLEMENT],
        [DEDUCTIBLE, SUPPLEMENT],
        [SUPPLEMENT],
        [CAPPED, SUPPLEMENT, SUPPLEMENT],
    ],
)
def test_stages_have_an_order(stages: list[dict[str, Any]]) -> None:
    code, key = refused(data(*stages))
    assert code == "stage_order"
    assert key.startswith("stage[")


def test_accounts_and_deductibles_in_any_order() -> None:
    scheme = Scheme.from_data(data(DEDUCTIBLE, ACCOUNT, DEDUCTIBLE, CAPPED, SUPPLEMENT))
    assert len(scheme.stages) == 5


@pytest.mark.parametrize(
    ("bands", "place"),
    [
        ([{"up_to": "100.00", "rate": "70"}], 1),
        ([{"rate": "70"}, {"rate": "60"}], 1),
        ([{"up_to": "100.00", "rate": "70"}, {"up_to": "100.00", "rate": "60"}, {"rate": "50"}], 2),
        ([{"up_to": "0.00", "rate": "70"}, {"rate": "50"}], 1),
    ],
)
def test_bands_rise_and_only_the_last_is_open(bands: list[dict[str, Any]], place: int) -> None:
    stage = {"kind": "rate", "counter": "fund", "axis": "bill", "band": bands}
    assert refused(data(stage)) == ("band_order", f"stage[1].band[{place}]")


@pytest.mark.parametrize(
    ("stage", "code", "key"),
    [
        ({"kind": "gift"}, "not_one_of", "stage[1].kind"),
        ({"bucket": "current"}, "missing", "stage[1].kind"),
        ({**ACCOUNT, "bucket": "shared"}, "not_one_of", "stage[1].bucket"),
        ({**ACCOUNT, "counter": "x"}, "unknown_key", "stage[1].counter"),
        ({**DEDUCTIBLE, "scope": "month"}, "not_one_of", "stage[1].scope"),
        ({**DEDUCTIBLE, "scope": "stay"}, "unknown_key", "stage[1].counter"),
        ({**RATE, "axis": "bill"}, "unknown_key", "stage[1].axis"),
        ({"kind": "rate", "counter": "fund", "axis": "age", "band": []}, "not_one_of", "stage[1].axis"),
        ({"kind": "rate", "counter": "fund", "axis": "bill", "band": []}, "empty", "stage[1].band"),
        (
            {"kind": "rate", "counter": "fund", "axis": "in_scope", "band": [{"rate": "5"}]},
            "missing",
            "stage[1].axis_counter",
        ),
        ({**RATE, "rate": "0.7%"}, "bad_percent", "stage[1].rate"),
        ({**RATE, "cap": 100}, "bad_amount", "stage[1].cap"),
        ({**RATE, "grade": "Z"}, "not_one_of", "stage[1].grade"),
    ],
)
def test_mistakes_in_a_stage(stage: dict[str, Any], code: str, key: str) -> None:
    assert refused(data(stage)) == (code, key)


@pytest.mark.parametrize(
    ("payers", "code", "key"),
    [
        ({"in_scope": []}, "missing", "payers.pre_self_pay"),
        ({**PAYERS, "other": []}, "unknown_key", "payers.other"),
        ({**PAYERS, "in_scope": "historical"}, "wrong_type", "payers.in_scope"),
        ({**PAYERS, "in_scope": ["wallet"]}, "not_one_of", "payers.in_scope[1]"),
        ({**PAYERS, "in_scope": ["shared", "shared"]}, "repeated", "payers.in_scope[2]"),
        ({**PAYERS, "in_scope": [{"bucket": "shared", "above": "1.00"}]}, "not_one_of", "payers.in_scope[1].bucket"),
        ({**PAYERS, "in_scope": [{"bucket": "current"}]}, "missing", "payers.in_scope[1].above"),
    ],
)
def test_mistakes_in_the_payers(payers: dict[str, Any], code: str, key: str) -> None:
    assert refused(data(payers=payers)) == (code, key)


@pytest.mark.parametrize(
    ("more", "code", "key"),
    [
        ({"accumulate_by": "birthday"}, "not_one_of", "accumulate_by"),
        ({"grade": "D"}, "not_one_of", "grade"),
        ({"source": " "}, "empty", "source"),
        ({"colour": "red"}, "unknown_key", "colour"),
    ],
)
def test_mistakes_in_the_scheme(more: dict[str, Any], code: str, key: str) -> None:
    assert refused(data(**more)) == (code, key)


def test_the_region_checks_counters_and_levels() -> None:
    scheme = Scheme.from_data(data(DEDUCTIBLE, CAPPED))
    scheme.check(["primary"], ["deductible", "fund"])

    with pytest.raises(BadData) as caught:
        scheme.check(["primary"], ["deductible", "fond"])
    assert (caught.value.code, caught.value.key) == ("unknown_counter", "stage[2].counter")


@pytest.mark.parametrize("code", sorted(file.stem for file in (ROOT / "regions").glob("*.toml")))
def test_a_top_hospital_is_a_third_level_one_where_the_region_does_not_tell_them_apart(code: str) -> None:
    found = region(code)
    for scheme in (version.scheme for version in found.schemes if version.scheme.stages):
        told_apart = "'top'" in repr(scheme)
        assert not told_apart or "top" in found.levels
        assert scheme.level_of("top") == ("top" if told_apart else "tertiary")
        assert all(scheme.level_of(level) == level for level in ("primary", "secondary", "tertiary"))


def test_a_top_hospital_of_chongqing_is_no_second_level_one() -> None:
    """Its rows say third level and all others: read to the letter, the best hospital would leave the least to pay."""
    here, there = patient(CHONGQING), patient(CHONGQING)
    paid = {"deductible": "200.00", "fund": "900.00", "cash": "1100.00"}
    assert there.bill(ON, "outpatient top", "2000.00") == here.bill(ON, "outpatient tertiary", "2000.00") == paid


def test_a_deductible_for_each_level_counts_a_top_hospital_with_the_third_level() -> None:
    by_level = {**DEDUCTIBLE, "scope": "level"}
    scheme = Scheme.from_data(data(by_level, RATE))
    claim = Claim(person=Person(birth=BORN), level="top", in_scope=Decimal("10.00"))
    assert "deductible:tertiary" in assess(scheme, claim, {}, {}, ON).counters
    named = {**by_level, "amount": [{"when": {"level": "top"}, "value": "50.00"}, {"value": "100.00"}]}
    assert "deductible:top" in assess(Scheme.from_data(data(named, RATE)), claim, {}, {}, ON).counters

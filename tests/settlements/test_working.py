"""The working in words: every key that the domain writes can be told, in every state it can have."""

import ast
import inspect

import pytest

from settlements.domain import allocation, assessment
from settlements.domain.scheme import OWN_BUCKETS
from settlements.telling import working

STATUSES = {"suspended", "frozen"}  # what `assess` notes of an enrolment that is not normal


def written_keys() -> set[str]:
    """The keys in the source of the domain: literal ones, and f"pay.own_{bucket}" for each bucket."""
    found = set()
    for module in (assessment, allocation):
        for node in ast.walk(ast.parse(inspect.getsource(module))):
            if not isinstance(node, ast.Call) or not node.args:
                continue
            called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if called not in ("note", "_note", "Step"):
                continue
            key = node.args[0]
            if isinstance(key, ast.Constant):
                found.add(key.value)
            elif isinstance(key, ast.JoinedStr):
                prefix = key.values[0].value
                found |= {f"{prefix}{bucket}" for bucket in OWN_BUCKETS}
    return found


def test_every_key_of_the_domain_can_be_told():
    keys = written_keys()
    assert {"stage.account", "stage.rate", "pay.own_current", "pay.shared"} <= keys  # the reading itself works
    assert keys | STATUSES == set(working.TELLERS)


def test_an_unknown_key_is_an_error_and_not_a_gap():
    with pytest.raises(KeyError, match="stage.new"):
        working.step({"key": "stage.new", "amount": "1.00", "params": {}})


RATE = {"base": "901.60", "bands": [{"base": "901.60", "rate_percent": "70"}], "axis": "bill", "source": "SH1"}
YEAR = {"deductible": "500.00", "used_before": "180.00", "remaining": "0.00", "scope": "year", "source": "SH1"}


@pytest.mark.parametrize(
    ("stored", "said"),
    [
        (("stage.account", "118.40", {"bucket": "current", "balance": "118.40", "source": "SH6"}), ["118.40"]),
        (("stage.account", "0.00", {"bucket": "current", "balance": "0.00", "source": "SH6"}), ["Nothing was taken"]),
        (("stage.deductible", "320.00", YEAR), ["180.00", "320.00", "fills the 500.00"]),
        (("stage.deductible", "0.00", YEAR), ["full already"]),
        (("stage.deductible", "20.00", YEAR | {"remaining": "300.00"}), ["300.00 of the 500.00 are left"]),
        (("stage.deductible", "50.00", YEAR | {"scope": "day_institution"}), ["this day"]),
        (("stage.deductible", "50.00", YEAR | {"scope": "stay"}), ["this stay"]),
        (("stage.rate", "631.12", RATE), ["70%", "631.12", "30%", "270.48"]),
        (
            ("stage.rate", "9.00", RATE | {"bands": [*RATE["bands"], {"base": "1.00", "rate_percent": "80"}]}),
            ["70% of 901.60", "80% of 1.00"],
        ),
        (
            (
                "stage.cap",
                "10.00",
                {"limit": "650000.00", "used_before": "649990.00", "remaining": "0.00", "reached": True},
            ),
            ["649,990.00", "only 10.00"],
        ),
        (
            (
                "stage.cap",
                "10.00",
                {"limit": "650000.00", "used_before": "0.00", "remaining": "1.00", "reached": False},
            ),
            ["can still pay 1.00"],
        ),
        (("stage.supplement", "80.00", {"base": "100.00", "bands": []}), ["100.00", "80.00"]),
        (("suspended", "0.00", {}), ["stopped"]),
        (("frozen", "0.00", {}), ["frozen"]),
        (("pay.own_current", "5.00", {"item_class": "in_scope", "before": "9.00", "above": "0.00"}), ["9.00", "5.00"]),
        (
            ("pay.own_historical", "5.00", {"item_class": "self_paid", "before": "9000.00", "above": "6000.00"}),
            ["9,000.00", "above 6,000.00"],
        ),
        (("pay.shared", "5.00", {"item_class": "in_scope", "before": "9.00", "grant": "7"}), ["daughter's account"]),
        (("pay.cash", "46.00", {"item_class": "self_paid"}), ["outside the catalogue"]),
        (("pay.cash", "46.00", {"item_class": "pre_self_pay"}), ["pre-self-pay"]),
        (("pay.cash", "46.00", {"item_class": "in_scope"}), ["was left"]),
    ],
)
def test_what_a_step_says(stored, said):
    from django.utils import translation

    key, amount, params = stored
    with translation.override("en"):
        told = working.step({"key": key, "amount": amount, "params": params}, {"7": "daughter's account"})
    text = " ".join([told.name, told.sentence, told.rule])
    assert params.get("source", "SH") not in text, "the key of a source means nothing to its reader"
    for piece in said:
        assert piece in text
    assert "%(" not in text

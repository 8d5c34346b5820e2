"""Invented regions, drawn at random as the text of a region file: every kind of stage, counter and order, in any mixture.

Amounts are small, so that the slow calculation of `slow_bill` can go fen by fen.
"""

import datetime
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

LEVELS = ["primary", "secondary", "tertiary", "top"]
NEAR = ["spouse", "parent", "child", "sibling", "grandparent", "grandchild"]
COUNTERS = ["borne", "visit_fee", "paid", "aid", "cost", "paid_here"]
PROVENANCE = {"source": "invented", "grade": "OWN"}
Draw = st.DrawFn


def money(most: int) -> st.SearchStrategy[str]:
    """Yuan as a text, up to so many fen."""
    return st.integers(0, most).map(lambda fens: str(Decimal(fens).scaleb(-2)))


# Percentages with two decimals, so that entitlements do not come out in whole fen.
PERCENT = st.one_of(
    st.sampled_from(["0", "100", "50"]), st.integers(0, 10000).map(lambda n: str(Decimal(n).scaleb(-2)))
)
LOW_PERCENT = st.integers(0, 7000).map(lambda n: str(Decimal(n).scaleb(-2)))


@st.composite
def whens(draw: Draw, levels: list[str]) -> dict[str, Any]:
    """A condition of one or two kinds."""
    kinds = {
        "status": st.sampled_from(["active", "retired"]),
        "level": st.one_of(
            st.sampled_from(levels), st.lists(st.sampled_from(levels), min_size=1, max_size=3, unique=True)
        ),
        "age_from": st.sampled_from([0, 45, 70]),
        "age_below": st.sampled_from([45, 70]),
        "signed": st.booleans(),
        "retired_by": st.just(datetime.date(2000, 12, 31)),
    }
    chosen = draw(st.lists(st.sampled_from(sorted(kinds)), min_size=1, max_size=2, unique=True))
    return {kind: draw(kinds[kind]) for kind in chosen}


@st.composite
def parameters(draw: Draw, values: st.SearchStrategy[str], additions: st.SearchStrategy[str], levels: list[str]) -> Any:
    """One value, or rows with a last one that always fits, and perhaps additions."""
    if draw(st.booleans()):
        return draw(values)
    rows: list[dict[str, Any]] = [
        {"when": draw(whens(levels)), "value": draw(values)} for _ in range(draw(st.integers(0, 3)))
    ]
    rows.append({"value": draw(values)})
    return rows + [{"when": draw(whens(levels)), "add": draw(additions)} for _ in range(draw(st.integers(0, 2)))]


@st.composite
def rate_stages(draw: Draw, levels: list[str]) -> list[dict[str, Any]]:
    """A rate, flat or in bands, with or without caps, and perhaps a supplement."""
    percents = parameters(LOW_PERCENT, st.integers(0, 1500).map(lambda n: str(Decimal(n).scaleb(-2))), levels)
    caps = parameters(money(3000), money(500), levels)
    stage: dict[str, Any] = {"kind": "rate", "counter": "paid"}
    if draw(st.booleans()):
        stage["rate"] = draw(st.one_of(PERCENT, percents))
    else:
        stage["axis"] = draw(st.sampled_from(["fund", "in_scope", "bill"]))
        if stage["axis"] == "in_scope":
            stage["axis_counter"] = "cost"
        ends = sorted(draw(st.sets(st.integers(1, 4000), max_size=3)))
        stage["band"] = [
            {"up_to": str(Decimal(end).scaleb(-2)), "rate": draw(st.one_of(PERCENT, percents))} for end in ends
        ]
        last = draw(st.one_of(PERCENT.map(lambda p: {"rate": p}), percents.map(lambda p: {"rate": p})))
        stage["band"].append(last if draw(st.integers(0, 4)) else {"unknown": True})
    if draw(st.booleans()):
        stage["within"] = [{"counter": "paid_here", "cap": draw(caps)}]
    if draw(st.booleans()):
        stage["cap"] = draw(caps)
        if draw(st.booleans()):
            aid = {"kind": "supplement", "counter": "aid", "rate": draw(st.one_of(st.just("bill"), PERCENT, percents))}
            return [stage, aid | ({"limit": draw(caps)} if draw(st.booleans()) else {})]
    return [stage]


@st.composite
def stage_lists(draw: Draw, levels: list[str]) -> list[dict[str, Any]]:
    """Accounts and deductibles in any order, then perhaps a rate and what follows it."""
    account = st.sampled_from(["current", "historical"]).map(lambda bucket: {"kind": "account", "bucket": bucket})
    deductible = st.builds(
        lambda scope, amount, counter: (
            {"kind": "deductible", "scope": scope, "amount": amount} | ({} if scope == "stay" else {"counter": counter})
        ),
        st.sampled_from(["year", "level", "institution", "day_institution", "stay"]),
        parameters(money(2000), money(500), levels),
        st.sampled_from(["borne", "visit_fee"]),
    )
    first = draw(st.lists(st.one_of(account, deductible), max_size=4))
    return first + draw(st.one_of(st.just([]), rate_stages(levels), rate_stages(levels)))


@st.composite
def payer_rows(draw: Draw) -> list[Any]:
    """Who pays a class of items, in which order; an own bucket perhaps only from what lies above an amount."""
    row = draw(st.lists(st.sampled_from(["current", "historical", "shared"]), unique=True, max_size=3))
    return [
        {"bucket": bucket, "above": draw(money(1500))} if bucket != "shared" and not draw(st.integers(0, 3)) else bucket
        for bucket in row
    ]


@st.composite
def schemes(draw: Draw, levels: list[str], insurance: str, kind: str) -> dict[str, Any]:
    start = {"insurance": insurance, "kind": kind, "valid_from": datetime.date(2020, 1, 1)}
    if not draw(st.integers(0, 9)):
        return {**start, "known": False, **PROVENANCE}
    return {
        **start,
        "accumulate_by": draw(st.sampled_from(["service", "settlement"])),
        "payers": {name: draw(payer_rows()) for name in ("in_scope", "pre_self_pay", "self_paid")},
        **PROVENANCE,
        "stage": draw(stage_lists(levels)),
    }


@st.composite
def sharing_rules(draw: Draw) -> dict[str, Any]:
    order = draw(st.sampled_from(["filed", "last_bound", "largest_balance", "single"]))
    numbers = {"max_beneficiaries": st.integers(1, 9), "max_grantors": st.integers(1, 9)}
    rules = {
        "valid_from": datetime.date(2020, 1, 1),
        "relations": draw(st.lists(st.sampled_from(NEAR), min_size=1, unique=True)),
        "same_region": draw(st.booleans()),
        **{key: draw(value) for key, value in numbers.items() if draw(st.booleans())},
        "mutual": draw(st.booleans()),
        "uses": draw(st.sampled_from([["pay"], ["premium"], ["pay", "premium"]])),
        "order": order,
        "order_adjustable": order == "filed" and draw(st.booleans()),
        "keep": draw(money(800)),
        "verification_age": draw(st.integers(10, 20)),
        "review": draw(st.sampled_from(["none", "window", "all"])),
        "unbind_min_months": draw(st.integers(0, 12)),
        "unbind_effect": draw(st.sampled_from(["same_day", "next_day"])),
        "consent_days": draw(st.integers(1, 60)),
        **PROVENANCE,
    }
    if draw(st.booleans()):
        rules["max_per_relation"] = draw(st.dictionaries(st.sampled_from(NEAR), st.integers(1, 9), min_size=1))
    return rules


@st.composite
def regions(draw: Draw) -> dict[str, Any]:
    """A whole file as plain data."""
    levels = draw(st.lists(st.sampled_from(LEVELS), min_size=1, unique=True))
    percents = parameters(LOW_PERCENT, LOW_PERCENT, levels)
    kinds = [("employee", "outpatient"), ("employee", "inpatient"), ("resident", "pharmacy")]
    return {
        "code": "999002",
        "name": {"zh": "试验市", "en": "Trial"},
        "buckets": draw(st.sampled_from(["one", "two"])),
        "levels": levels,
        "counters": {counter: {"zh": "计数", "en": "Counter"} for counter in COUNTERS},
        "benefit_year": [
            {"first_year": 2001, "month": draw(st.integers(1, 12)), "day": draw(st.integers(1, 28)), **PROVENANCE}
        ],
        "credit": [
            {
                "valid_from": datetime.date(2020, 1, 1),
                "every": draw(st.sampled_from(["month", "year"])),
                "bucket": draw(st.sampled_from(["current", "historical"])),
                "active_percent": draw(percents),
                "retired_per": draw(st.sampled_from(["month", "year"])),
                "retired_amount": draw(parameters(money(9000), money(900), levels)),
                "joining": draw(st.sampled_from(["this_month", "next_month"])),
                "leaving": draw(st.sampled_from(["this_month", "next_month"])),
                **PROVENANCE,
            }
        ],
        "sharing": [draw(sharing_rules())],
        "scheme": [draw(schemes(levels, insurance, kind)) for insurance, kind in kinds],
    }


def as_toml(region: dict[str, Any]) -> str:
    """The data as the text of a file, with lists of tables as sections."""
    lines: list[str] = []
    _table(region, "", lines)
    return "\n".join(lines) + "\n"


def _table(table: dict[str, Any], name: str, lines: list[str]) -> None:
    sections = [key for key, value in table.items() if _is_sections(key, value)]
    lines += [f"{key} = {_inline(value)}" for key, value in table.items() if key not in sections]
    for key in sections:
        inner = f"{name}.{key}".lstrip(".")
        for row in table[key]:
            lines.append(f"[[{inner}]]")
            _table(row, inner, lines)


def _is_sections(key: str, value: Any) -> bool:
    return key in ("benefit_year", "credit", "sharing", "scheme", "stage", "band", "within") and isinstance(value, list)


def _inline(value: Any) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case str():
            return f'"{value}"'
        case dict():
            return "{ " + ", ".join(f"{key} = {_inline(below)}" for key, below in value.items()) + " }"
        case list():
            return "[" + ", ".join(_inline(below) for below in value) + "]"
        case datetime.date():
            return value.isoformat()
        case _:
            return str(value)

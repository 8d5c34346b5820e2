"""Every region by its real file, through the database: a quote is the settlement, and a reversal leaves no trace."""

import datetime
from decimal import Decimal

import pytest
from django.db import connection, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.errors import Refused
from accounts.models import Region
from faults import checker
from settlements.actions import care, regions
from settlements.actions.opening import open_account
from settlements.models import Scheme
from tests.people import make_institution, make_member
from tests.settlements.scene import share

ON = datetime.date(2026, 5, 20)
OPENED = datetime.date(2026, 2, 1)
AT_LEAST = 20
PARTS = (
    "fund", "supplement", "deductible", "own_current", "own_historical", "shared", "cash", "counters", "steps",
)  # fmt: skip
STATE = """
SELECT 'account ' || id, current, historical, debt FROM settlements_personalaccount
UNION ALL SELECT 'usage ' || member_id || ' ' || benefit_year || ' ' || counter, amount, 0, 0 FROM settlements_usage
WHERE amount <> 0 ORDER BY 1
"""


def yuan(most: int) -> st.SearchStrategy[Decimal]:
    return st.integers(0, most * 100).map(lambda fens: Decimal(fens).scaleb(-2))


def state():
    with connection.cursor() as cursor:
        cursor.execute(STATE)
        return cursor.fetchall()


def quoted_as(quoted, part):
    value = getattr(quoted, part)
    if part == "counters":
        return {str(year): {name: str(amount) for name, amount in names.items()} for year, names in value.items()}
    return value


@pytest.fixture
def codes(db) -> list[str]:
    regions.load(regions.region_files())
    return list(Region.objects.order_by("pk").values_list("pk", flat=True))


def test_a_quote_is_the_settlement_and_a_reversal_leaves_no_trace(codes):
    settled: list[str] = []

    @settings(max_examples=80, deadline=None, suppress_health_check=list(HealthCheck), database=None)
    @given(
        code=st.sampled_from(codes),
        kind=st.sampled_from(["outpatient", "outpatient", "inpatient", "pharmacy"]),
        # Residents are refused nearly everywhere: too many of them, and too few bills are left to look at.
        insurance=st.sampled_from(["employee"] * 5 + ["resident"]),
        retired=st.booleans(),
        in_scope=st.one_of(yuan(900), yuan(60_000)),
        other=st.tuples(yuan(80), yuan(80)),
        money=st.lists(st.tuples(yuan(600), yuan(900)), min_size=3, max_size=3),
        number=st.integers(0, 3),
    )
    def story(code, kind, insurance, retired, in_scope, other, money, number):
        with transaction.atomic():
            if settle_and_undo(code, kind, insurance, retired, in_scope, other, money, number):
                settled.append(code)
            transaction.set_rollback(True)

    story()
    assert len(settled) > AT_LEAST
    assert len(set(settled)) >= 5


def settle_and_undo(code, kind, insurance, retired, in_scope, other, money, number) -> bool:
    """False where the region's rules do not know such a bill, which a quote and a settlement must say alike."""
    region = Region.objects.get(pk=code)
    status = "retired" if retired else "active"
    patient, *grantors = [
        make_member(
            region=region,
            insurance=insurance if place == 0 else "employee",
            personal_status=status,
            birth=datetime.date(1950, 1, 1) if retired else datetime.date(1985, 1, 1),
        )
        for place in range(3)
    ]
    for member, (current, historical) in zip([patient, *grantors], money, strict=True):
        buckets = {"current": current} if region.two_buckets else {}
        open_account(member=member, region_id=code, on=OPENED, historical=historical, **buckets)
    for grantor in grantors:
        share(grantor, patient, "child", region, OPENED, limit=None)
    hospital = make_institution(region=region, level=region.data["levels"][number % len(region.data["levels"])])
    before = state()
    asked = {
        "patient": patient,
        "institution": hospital,
        "on": ON,
        "bill": care.Bill(
            kind=kind, level=hospital.level, in_scope=in_scope, pre_self_pay=other[0], self_paid=other[1]
        ),
    }
    try:
        quoted = care.quote(**asked)
    except Refused as refusal:
        with pytest.raises(Refused, match=refusal.code):
            care.settle(key="one", **asked)
        assert state() == before
        return False
    made = care.settle(key="one", **asked)
    made.refresh_from_db()
    assert {part: getattr(made, part) for part in PARTS} == {part: quoted_as(quoted, part) for part in PARTS}
    assert quoted.total == sum(getattr(made, part) for part in PARTS[:2]) + sum(
        getattr(made, part) for part in PARTS[3:7]
    )
    assert checker.books(ON) == []
    care.reverse(settlement=made, on=ON, key="two")
    assert state() == before
    assert checker.books(ON) == []
    return True


def test_there_is_something_to_settle(codes):
    assert Scheme.objects.values("region").distinct().count() == len(codes) >= 4

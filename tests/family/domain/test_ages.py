import datetime
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.enums import Relation
from accounts.kinship import inverse
from family.domain.ages import Born, misfit

ON = datetime.date(2026, 11, 22)
DAY = datetime.timedelta(days=1)


def born(day: str, sex: str = "", permit: bool = False) -> Born:
    return Born(birth=datetime.date.fromisoformat(day), sex=sex, permit=permit)


@pytest.mark.parametrize(
    ("relation", "of", "relative", "why"),
    [
        ("child", born("1985-01-01"), born("1984-12-31"), "younger"),
        ("child", born("1985-01-01"), born("1985-01-01"), None),
        ("grandchild", born("1985-01-01"), born("1984-12-31"), "younger"),
        ("parent", born("1985-01-01"), born("1985-01-02"), "older"),
        ("parent", born("1985-01-01"), born("1985-01-01"), None),
        ("grandparent", born("1985-01-01"), born("1985-01-02"), "older"),
        ("sibling", born("1985-01-01"), born("1985-01-01"), None),
        ("parent_in_law", born("1985-01-01"), born("1999-01-01"), None),
        ("spouse", born("1985-01-01", "M"), born("2008-11-22", "F"), None),
        ("spouse", born("1985-01-01", "M"), born("2008-11-23", "F"), "spouse"),
        ("spouse", born("1985-01-01", "F"), born("2006-11-22", "M"), None),
        ("spouse", born("1985-01-01", "F"), born("2006-11-23", "M"), "spouse"),
        ("spouse", born("2006-11-23", "M"), born("1985-01-01", "F"), "spouse"),
        ("spouse", born("1985-01-01", "F"), born("2008-12-01", "M", permit=True), None),
        ("spouse", born("1985-01-01"), born("2008-11-22"), None),
        ("child", born("1985-01-01"), replace(born("1984-12-31"), proved=False), None),
        ("parent", replace(born("1985-01-01"), proved=False), born("1985-01-02"), None),
    ],
)
def test_what_cannot_be_and_what_just_can(relation: str, of: Born, relative: Born, why: str | None) -> None:
    assert misfit(relation, of, relative, ON) == why


PEOPLE = st.builds(
    Born, birth=st.dates(datetime.date(1920, 1, 1), ON), sex=st.sampled_from(["M", "F"]), permit=st.booleans()
)


@given(st.sampled_from(Relation.values), PEOPLE, PEOPLE, st.dates(ON, ON + 40 * 365 * DAY))
def test_both_sides_say_the_same(relation: str, one: Born, other: Born, on: datetime.date) -> None:
    if relation != Relation.PARENT_IN_LAW:
        assert (misfit(relation, one, other, on) is None) == (misfit(inverse(relation), other, one, on) is None)
    assert relation == "spouse" or misfit(relation, one, other, on) == misfit(relation, one, other, ON)

"""Each deliberate defect is found by its way, and no way finds anything without one."""

import pytest

from faults import defects, world

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.fault]


@pytest.fixture(autouse=True)
def place():
    world.institution()


@pytest.mark.parametrize("defect", defects.DEFECTS, ids=lambda defect: defect.name)
def test_it_is_found(defect):
    with defect.put_in():
        assert defect.way()


@pytest.mark.parametrize(
    "way",
    [defects.by_paper, defects.by_log, defects.by_books, defects.by_fight, defects.by_crowd, defects.by_tills],
)
def test_nothing_is_found_without_one(way):
    assert way() == []

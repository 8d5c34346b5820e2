import datetime

import pytest
from django.db.models import Q

from accounts.enums import Role
from casework import kinds, queries
from casework.actions import cases
from casework.models import Case
from tests.casework.conftest import AT
from tests.people import is_also, make_region, make_staff

MONDAY = datetime.date(2026, 11, 30)


@pytest.fixture
def waiting_case(people, open_errand):
    return cases.move(case=open_errand(), verb="submit", by=people.clerk, role="clerk", at=AT)


def test_who_sees_a_case(people, waiting_case) -> None:
    elsewhere = make_staff(Role.CLERK, region=make_region("110000"))
    seen = {
        name: queries.visible_to(user).filter(pk=waiting_case.pk).exists()
        for name, user in {**vars(people), "elsewhere": elsewhere}.items()
        if hasattr(user, "identity_level")
    }
    assert {name for name, sees in seen.items() if sees} == {"holder", "clerk", "supervisor"}


def test_a_kind_may_show_a_case_to_others(people, errand, waiting_case) -> None:
    kind = kinds.get("errand")
    shown = kinds.Kind(
        **{**vars(kind), "others_see": lambda pk: Q(pk=waiting_case.pk if pk == people.spouse.member_id else 0)}
    )
    kinds.register(shown)

    assert list(queries.visible_to(people.spouse)) == [waiting_case]
    assert list(queries.visible_to(people.stranger)) == []


def test_the_queue_marks_what_is_overdue_and_what_is_ones_own(people, waiting_case, open_errand) -> None:
    both = make_staff(Role.CLERK, region=people.region)
    both.role_assignments.create(role=Role.SUPERVISOR, region=people.region)
    later = AT + datetime.timedelta(days=3)
    own = cases.move(case=open_errand(by=both), verb="submit", by=both, role="clerk", at=later)

    rows = [(case.pk, case.overdue, case.own) for case in queries.review_queue(both, MONDAY)]
    assert rows == [(waiting_case.pk, True, False), (own.pk, False, True)]
    assert [case.overdue for case in queries.review_queue(both, waiting_case.due_on)] == [False, False]


def test_the_queue_is_the_supervisors_of_the_region(people, waiting_case) -> None:
    assert list(queries.review_queue(people.clerk, MONDAY)) == []
    assert list(queries.review_queue(make_staff(Role.SUPERVISOR, region=make_region("110000")), MONDAY)) == []
    assert list(queries.review_queue(people.holder, MONDAY)) == []


def test_the_counts_are_those_of_the_queue(people, waiting_case, open_errand, django_assert_num_queries) -> None:
    open_errand()
    due = cases.move(
        case=open_errand(), verb="submit", by=people.clerk, role="clerk", at=AT + datetime.timedelta(days=3)
    )
    queries.waiting(people.supervisor, MONDAY)  # reads the roles
    with django_assert_num_queries(1):
        counts = queries.waiting(people.supervisor, MONDAY)
    assert due.due_on == MONDAY
    assert counts == queries.Waiting(review=2, overdue=1, due_today=1, consent=0, returned=0)


def test_one_row_and_three_rows_cost_the_same(people, waiting_case, open_errand, django_assert_num_queries) -> None:
    for _ in range(2):
        cases.move(case=open_errand(), verb="submit", by=people.clerk, role="clerk", at=AT)
    queries.waiting(people.supervisor, MONDAY)
    with django_assert_num_queries(1):
        for case in queries.review_queue(people.supervisor, MONDAY):
            assert case.region.name and case.applicant.name and case.opened_by.display_name
    assert Case.objects.count() == 3


def test_the_queue_marks_what_is_about_the_supervisor_himself(people, waiting_case) -> None:
    assert [case.own for case in queries.review_queue(people.supervisor, MONDAY)] == [False]
    is_also(people.supervisor, people.holder.member)
    assert [case.own for case in queries.review_queue(people.supervisor, MONDAY)] == [True]

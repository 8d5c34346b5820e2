import pytest
from django.contrib import admin
from django.test import RequestFactory

from accounts.enums import Role
from accounts.models import AuditEvent
from casework.models import Case, WorkingDayException
from family.actions import grants, sharing
from family.models import Commitment, DeductionOrder, SharingApplication, SharingGrant, SharingRules
from tests.family.support import AT, TODAY
from tests.people import make_region, make_staff

ABOUT_PEOPLE = [Case, SharingApplication, SharingGrant, DeductionOrder]


def asking(user):
    request = RequestFactory().get("/")
    request.user = user
    return request


@pytest.fixture
def shared(people, rules):
    rules()
    sharing.bind(grantor=people.holder.member, beneficiary=people.child, relation="child", at=AT)
    grants.reorder(beneficiary=people.child, grant_ids=[SharingGrant.objects.get().pk], version=0, by=None, at=AT)


@pytest.mark.parametrize("model", ABOUT_PEOPLE)
def test_what_is_about_people_is_for_their_regions_administrator(people, shared, model) -> None:
    page = admin.site.get_model_admin(model)
    elsewhere = make_staff(Role.REGION_ADMIN, region=make_region("110000"))

    assert page.get_queryset(asking(people.region_admin)).count() == 1
    assert page.get_queryset(asking(elsewhere)).count() == 0
    for user in (people.system_admin, people.clerk, people.holder):
        assert page.has_view_permission(asking(user)) is False


@pytest.mark.parametrize("model", [*ABOUT_PEOPLE, SharingRules, Commitment])
def test_nothing_is_changed_here(people, shared, model) -> None:
    page, request = admin.site.get_model_admin(model), asking(people.region_admin)
    assert page.has_view_permission(request) is True
    assert page.has_add_permission(request) is False
    assert page.has_change_permission(request) is False
    assert page.has_delete_permission(request) is False


def test_rules_are_shown_as_text(people, shared) -> None:
    page = admin.site.get_model_admin(SharingRules)
    row = SharingRules.objects.get()
    row.data["note"] = "<b>上海</b>"
    row.data["keep"] = "<i>1.00</i>"
    assert page.rules(row).startswith("<pre>") and "keep = &lt;i&gt;1.00" in page.rules(row)
    assert (page.source(row), page.grade(row), page.note(row)) == (row.data["source"], row.data["grade"], "<b>上海</b>")


def test_a_new_commitment_is_a_new_version(people) -> None:
    page = admin.site.get_model_admin(Commitment)
    assert page.has_add_permission(asking(people.system_admin)) is True
    assert page.has_change_permission(asking(people.system_admin), Commitment.objects.get()) is False


def test_the_calendar_is_kept_by_administrators_and_recorded(people) -> None:
    page = admin.site.get_model_admin(WorkingDayException)
    request = asking(people.system_admin)
    assert page.has_change_permission(request)
    assert not page.has_change_permission(asking(people.clerk))

    page.log_addition(request, WorkingDayException.objects.create(day=TODAY, is_working=False), [{"added": {}}])
    line = AuditEvent.objects.get()
    assert (line.action, line.target, line.actor_id) == (
        "admin_add",
        f"casework.workingdayexception:{TODAY}",
        people.system_admin.pk,
    )

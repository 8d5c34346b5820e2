"""Staff at the desk who are insured here themselves: their own record and their own cases are a colleague's affair."""

import pytest
from django.urls import reverse

from accounts import reasons
from accounts.models import AuditEvent
from family.actions import sharing
from family.models import SharingApplication, SharingGrant
from tests.family.support import AT, text
from tests.people import is_also
from tests.support.pages import fields

HOME, MEMBER = "/counter/", "/counter/member/"


@pytest.fixture(params=["holder", "child"])
def side(people, request):
    found = getattr(people, request.param)
    return getattr(found, "member", found)


@pytest.fixture
def waiting(people, rules) -> SharingApplication:
    """Begun online, and checked by a second person."""
    rules(review="all")
    return sharing.apply(
        grantor=people.holder.member,
        beneficiary=people.child,
        relation="child",
        by=people.holder,
        at=AT,
        commitment=text(),
    )


def test_a_clerk_cannot_open_his_own_record_and_is_told_why(people, clerk) -> None:
    member = is_also(people.clerk, people.holder.member) and people.holder.member
    page = clerk.post(HOME, fields(clerk.get(HOME)) | {"number": member.id_number, "reason": "sharing"})
    assert page.status_code == 422
    assert page.context["form"].errors["number"] == [str(reasons.tell("own_case"))]
    assert clerk.get(MEMBER)["Location"] == HOME
    assert AuditEvent.objects.filter(action="open_refused", member_id=member.pk).count() == 1


def test_an_open_record_closes_once_it_is_known_to_be_his_own(people, serving) -> None:
    assert serving.get(MEMBER).status_code == 200
    is_also(people.clerk, people.holder.member)
    assert serving.get(MEMBER)["Location"] == HOME


def test_a_clerk_finds_no_page_of_his_own_case(people, clerk, waiting, side) -> None:
    url = reverse("counter:case", args=[waiting.case.public_id])
    assert clerk.get(url).status_code == 200
    is_also(people.clerk, side)
    assert clerk.get(url).status_code == 404
    assert clerk.post(url, {"do": "withdraw"}).status_code == 404


def test_a_supervisor_is_told_that_it_is_his_own_and_cannot_decide(people, supervisor, waiting, side) -> None:
    url = reverse("counter:review", args=[waiting.case.public_id])
    asked = fields(supervisor.get(url))
    is_also(people.supervisor, side)
    page = supervisor.get(url)
    assert page.context["concerns"] and b'name="verdict"' not in page.content
    assert supervisor.post(url, asked | {"verdict": "approve"}).status_code == 422
    assert not SharingGrant.objects.exists()

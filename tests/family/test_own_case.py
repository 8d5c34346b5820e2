"""Staff are insured too: nobody applies, agrees, changes, ends or orders for himself with his staff login."""

import pytest

from accounts.errors import Refused
from casework import queries as case_queries
from family.actions import grants, invitations, sharing
from family.models import SharingApplication, SharingGrant
from tests.family.support import AT, TODAY, text
from tests.people import is_also


@pytest.fixture(params=["holder", "spouse"])
def side(people, rules, request):
    """One of the two; the clerk of the region is the same person."""
    rules(review="all")
    return getattr(people, request.param).member


def facts(people) -> dict:
    return {"grantor": people.holder.member, "beneficiary": people.spouse.member, "relation": "spouse", "at": AT}


def test_a_clerk_begins_nothing_for_himself(people, side) -> None:
    clerk = is_also(people.clerk, side)
    for begin in (sharing.dry_run, sharing.draft):
        with pytest.raises(Refused, match="own_case"):
            begin(**facts(people), by=clerk, channel="window")
    assert not SharingApplication.objects.exists()


def test_a_clerk_goes_on_with_nothing_of_his_own(people, side) -> None:
    application = sharing.apply(**facts(people), by=people.holder, commitment=text())
    clerk = is_also(people.clerk, side)
    steps = [invitations.send_code, invitations.consent, invitations.decline, sharing.amend, sharing.withdraw]
    for step in steps:
        with pytest.raises(Refused, match="own_case"):
            step(application=application, by=clerk, at=AT)
    application.case.refresh_from_db()
    assert application.case.state == "consent"


def test_a_clerk_changes_ends_and_orders_no_grant_of_his_own(people, side) -> None:
    sharing.bind(**{**facts(people), "beneficiary": people.child, "relation": "child"})
    grant = SharingGrant.objects.get()
    clerk = is_also(people.clerk, grant.grantor if side == people.holder.member else grant.beneficiary)
    with pytest.raises(Refused, match="own_case"):
        grants.unbind(grant=grant, by=clerk, at=AT)
    with pytest.raises(Refused, match="own_case"):
        grants.adjust(grant=grant, by=clerk, at=AT, limit=None)
    with pytest.raises(Refused, match="own_case"):
        grants.pause(grant=grant, by=clerk, at=AT)
    with pytest.raises(Refused, match="own_case"):
        grants.reorder(beneficiary=people.child, grant_ids=[grant.pk], version=None, by=clerk, at=AT)
    grant.refresh_from_db()
    assert (grant.ends_on, grant.paused_at) == (None, None)


def test_the_queue_marks_it_for_either_of_the_two(people, side) -> None:
    application = sharing.apply(**facts(people), by=people.holder, commitment=text())
    invitations.consent(application=application, by=people.spouse, at=AT)
    is_also(people.supervisor, side)
    assert [case.own for case in case_queries.review_queue(people.supervisor, TODAY)] == [True]

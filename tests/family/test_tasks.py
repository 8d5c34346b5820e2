import pytest

from accounts import clock
from accounts.errors import Refused
from accounts.models import Message
from casework.models import Case
from family.actions import invitations, sharing
from family.models import SharingApplication
from family.tasks import expire_invitations
from tests.family.support import AT, DAY


@pytest.fixture
def at(monkeypatch):
    """Set the clock that the task reads."""

    def set_clock(moment):
        monkeypatch.setattr(clock, "now", lambda: moment)
        monkeypatch.setattr(clock, "today", lambda: moment.date())

    return set_clock


def test_unanswered_invitations_lapse_once(people, rules, at) -> None:
    rules(consent_days=14)
    sharing.bind(grantor=people.holder.member, beneficiary=people.spouse.member, relation="spouse", at=AT)

    at(AT + 14 * DAY)
    assert expire_invitations() == 0
    at(AT + 15 * DAY)
    assert expire_invitations() == 1
    assert expire_invitations() == 0

    case = Case.objects.get()
    assert (case.state, case.closed_at) == ("expired", AT + 15 * DAY)
    kinds = set(Message.objects.values_list("member", "kind"))
    assert (people.holder.member_id, "sharing_expired") in kinds
    assert (people.spouse.member_id, "sharing_invitation_void") in kinds


def test_not_before_its_day(people, rules) -> None:
    rules(consent_days=14)
    sharing.bind(grantor=people.holder.member, beneficiary=people.spouse.member, relation="spouse", at=AT)
    with pytest.raises(Refused, match="not_in_this_state"):
        invitations.expire(application=SharingApplication.objects.get(), at=AT + 14 * DAY)


def test_answered_since_the_list_was_read(people, rules, at, monkeypatch) -> None:
    rules(consent_days=14)
    sharing.bind(grantor=people.holder.member, beneficiary=people.spouse.member, relation="spouse", at=AT)
    read = SharingApplication.objects.select_related("case").get()
    invitations.consent(application=read, by=people.spouse, at=AT)

    class Lapsed:
        @staticmethod
        def select_related(_name):
            return [read]

    monkeypatch.setattr("family.queries.lapsed_invitations", lambda on: Lapsed)
    at(AT + 15 * DAY)
    assert expire_invitations() == 0
    assert Case.objects.get().state == "granted"

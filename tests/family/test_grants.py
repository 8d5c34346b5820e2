import datetime
from decimal import Decimal

import pytest
from django.core.exceptions import PermissionDenied
from django.utils import translation

from accounts.enums import IdentityLevel
from accounts.errors import Refused
from accounts.models import AuditEvent, Message
from family import queries, telling
from family.actions import grants, invitations, sharing
from family.models import DeductionOrder, SharingGrant
from tests.family.support import AT, DAY, TODAY, may_pay
from tests.people import make_member, make_region


@pytest.fixture
def granted(people, rules):
    """The holder (or another) shares with the child since a day, by the register."""
    rules()

    def made(grantor=None, since=AT, relation="child", beneficiary=None) -> SharingGrant:
        grantor, beneficiary = grantor or people.holder.member, beneficiary or people.child
        sharing.bind(grantor=grantor, beneficiary=beneficiary, relation=relation, at=since)
        Message.objects.all().delete()
        return SharingGrant.objects.get(grantor=grantor, beneficiary=beneficiary, ends_on=None)

    return made


def told(member) -> list[str]:
    return list(Message.objects.filter(member=member).order_by("id").values_list("kind", flat=True))


class TestEnding:
    def test_the_same_day(self, people, granted) -> None:
        grant = grants.unbind(grant=granted(since=AT - 9 * DAY), by=people.holder, at=AT)

        assert (grant.ends_on, grant.end_reason) == (TODAY, "grantor")
        assert may_pay(people.child.pk, TODAY) == []
        assert may_pay(people.child.pk, TODAY - DAY) == [grant]
        assert told(people.holder.member) == ["sharing_ended_grantor"]
        assert told(people.child) == ["sharing_ended_beneficiary"]
        lines = AuditEvent.objects.filter(action="sharing_ended")
        assert {line.member_id for line in lines} == {people.holder.member_id, people.child.pk}

    def test_the_next_day(self, people, granted, rules) -> None:
        grant = granted()
        rules(unbind_effect="next_day")
        assert grants.unbind(grant=grant, by=people.holder, at=AT).ends_on == TODAY + DAY
        assert may_pay(people.child.pk, TODAY) == [grant]

    def test_bound_and_ended_on_one_day_and_bound_again(self, people, granted) -> None:
        grants.unbind(grant=granted(), by=people.holder, at=AT)
        again = granted()
        assert may_pay(people.child.pk, TODAY) == [again]

    @pytest.mark.parametrize(("who", "why"), [("holder", "grantor"), ("spouse", "beneficiary"), ("clerk", "office")])
    def test_either_side_or_a_clerk(self, people, rules, granted, who, why) -> None:
        sharing.bind(grantor=people.holder.member, beneficiary=people.spouse.member, relation="spouse", at=AT)
        application = people.spouse.member.applications_as_beneficiary.get()
        invitations.consent(application=application, by=people.spouse, at=AT)
        grant = grants.unbind(grant=SharingGrant.objects.get(), by=getattr(people, who), at=AT)
        assert grant.end_reason == why
        with translation.override("en"):
            said = [telling.why_ended(grant, is_grantor=mine) for mine in (True, False)]
            other = [telling.term_of_beneficiary(grant), telling.term_of_grantor(grant)]
        assert (
            said
            == {
                "grantor": ["ended by you", f"ended by your {other[1]}"],
                "beneficiary": [f"ended by your {other[0]}", "ended by you"],
                "office": ["Ended by the office"] * 2,
            }[why]
        )

    def test_a_clerk_says_for_whom(self, people, granted) -> None:
        grant = grants.unbind(grant=granted(), by=people.clerk, at=AT, on_behalf_of=people.child, channel="window")
        assert grant.end_reason == "beneficiary"
        lines = AuditEvent.objects.filter(action="sharing_ended").values_list("on_behalf_of_id", "channel")
        assert set(lines) == {(people.child.pk, "window")}

    def test_nobody_else(self, people, granted) -> None:
        grant = granted()
        for by in (people.stranger, people.spouse, people.supervisor, people.auditor):
            with pytest.raises(PermissionDenied):
                grants.unbind(grant=grant, by=by, at=AT)

    def test_not_before_the_shortest_time(self, people, granted, rules) -> None:
        rules(unbind_min_months=3)
        grant = granted(since=AT.replace(year=2025, month=3, day=1))
        early = AT.replace(year=2025, month=5, day=31)
        with pytest.raises(Refused, match="too_early_to_unbind") as refused:
            grants.unbind(grant=grant, by=people.holder, at=early)
        assert refused.value.params == {"from_on": "2025-06-01", "months": 3}
        assert grants.unbind(grant=grant, by=people.holder, at=early + DAY).ends_on == datetime.date(2025, 6, 1)

    def test_twice(self, people, granted) -> None:
        grant = grants.unbind(grant=granted(), by=people.holder, at=AT)
        with pytest.raises(Refused, match="not_bound"):
            grants.unbind(grant=grant, by=people.holder, at=AT)

    def test_before_its_own_last_day(self, people, granted) -> None:
        grant = granted()
        SharingGrant.objects.filter(pk=grant.pk).update(ends_on=TODAY + 100 * DAY)
        assert grants.unbind(grant=grant, by=people.holder, at=AT).ends_on == TODAY

    def test_end_and_audit_line_stand_or_fall_together(self, people, granted, monkeypatch) -> None:
        grant = granted()

        def broken(**_kwargs):
            raise RuntimeError("no audit")

        monkeypatch.setattr(grants.audit, "record", broken)
        with pytest.raises(RuntimeError):
            grants.unbind(grant=grant, by=people.holder, at=AT)
        grant.refresh_from_db()
        assert grant.ends_on is None


class TestEndingByRule:
    def test_a_death_ends_what_was_given_and_held(self, people, granted, rules) -> None:
        rules(mutual=True, unbind_min_months=12)
        given = granted(since=AT - 9 * DAY)
        people.holder.member.died_on = TODAY
        people.holder.member.save()

        assert grants.end_for(member=people.holder.member, why="died", on=TODAY, at=AT) == [given]
        given.refresh_from_db()
        assert (given.ends_on, given.end_reason) == (TODAY, "died")
        assert told(people.holder.member) == []
        assert told(people.child) == ["sharing_ended_beneficiary"]
        assert grants.end_for(member=people.holder.member, why="died", on=TODAY, at=AT) == []

    def test_a_move_ends_also_for_the_beneficiary(self, people, granted) -> None:
        grant = granted()
        assert grants.end_for(member=people.child, why="moved", on=TODAY, at=AT) == [grant]

    def test_a_divorce_ends_only_what_is_between_spouses(self, people, granted) -> None:
        child = granted()
        sharing.bind(grantor=people.holder.member, beneficiary=people.spouse.member, relation="spouse", at=AT)
        application = people.spouse.member.applications_as_beneficiary.get()
        invitations.consent(application=application, by=people.spouse, at=AT)
        spouse = SharingGrant.objects.get(relation="spouse")

        assert grants.end_for(member=people.spouse.member, why="divorced", on=TODAY + DAY, at=AT) == [spouse]
        child.refresh_from_db()
        assert child.ends_on is None

    def test_stopped_contributions_end_nothing(self, people, granted) -> None:
        grant = granted()
        assert grants.end_for(member=people.holder.member, why="stopped", on=TODAY, at=AT) == []
        assert may_pay(people.child.pk, TODAY) == [grant]

    def test_reported_late(self, people, granted) -> None:
        grants.end_for(member=people.holder.member, why="died", on=TODAY - 30 * DAY, at=AT)
        grant = granted()
        [ended] = grants.end_for(member=people.holder.member, why="died", on=TODAY - 30 * DAY, at=AT)
        assert (ended, ended.starts_on, ended.ends_on) == (grant, TODAY, TODAY)

    def test_an_unknown_reason(self, people) -> None:
        with pytest.raises(ValueError, match="quarrel"):
            grants.end_for(member=people.holder.member, why="quarrel", on=TODAY)


class TestTerms:
    def test_a_new_limit(self, people, granted) -> None:
        grant = grants.adjust(grant=granted(), by=people.holder, at=AT, limit=Decimal("800.00"), uses_premium=False)
        grant.refresh_from_db()
        assert (grant.limit, grant.uses_care, grant.uses_premium) == (Decimal("800.00"), True, False)
        assert told(people.child) == ["sharing_adjusted_beneficiary"]
        line = AuditEvent.objects.filter(action="sharing_adjusted").first()
        assert line.details == {"limit": "800.00", "care": True, "premium": False}

    @pytest.mark.parametrize(
        ("more", "code"),
        [
            ({"limit": Decimal("0.00")}, "bad_limit"),
            ({"limit": Decimal("1.001")}, "bad_limit"),
            ({"limit": None, "uses_care": False, "uses_premium": False}, "no_use_chosen"),
        ],
    )
    def test_terms_that_cannot_be(self, people, granted, more, code) -> None:
        with pytest.raises(Refused, match=code):
            grants.adjust(grant=granted(), by=people.holder, at=AT, **more)

    def test_only_the_grantor_or_a_clerk(self, people, granted) -> None:
        grant = granted()
        for by in (people.spouse, people.stranger, people.supervisor):
            with pytest.raises(PermissionDenied):
                grants.adjust(grant=grant, by=by, at=AT, limit=None)
        grants.adjust(grant=grant, by=people.clerk, at=AT, limit=None)
        assert AuditEvent.objects.filter(on_behalf_of_id=people.holder.member_id).count() == 2

    def test_an_identity_that_is_not_proven(self, people, granted) -> None:
        grant = granted()
        people.holder.identity_level = IdentityLevel.REGISTERED
        with pytest.raises(Refused, match="needs_verification"):
            grants.pause(grant=grant, by=people.holder, at=AT)

    def test_pause_and_resume(self, people, granted) -> None:
        grant = granted()
        for _ in range(2):
            grants.pause(grant=grant, by=people.holder, at=AT)
        assert may_pay(people.child.pk, TODAY) == []
        assert list(queries.whom_shares(people.holder.member, TODAY)) == [grant]
        grants.resume(grant=grant, by=people.holder, at=AT)
        assert may_pay(people.child.pk, TODAY) == [grant]
        assert told(people.child) == ["sharing_paused_beneficiary", "sharing_resumed_beneficiary"]

    def test_what_has_ended(self, people, granted) -> None:
        grant = grants.unbind(grant=granted(), by=people.holder, at=AT)
        with pytest.raises(Refused, match="not_bound"):
            grants.adjust(grant=grant, by=people.holder, at=AT, limit=None)


class TestOrder:
    @pytest.fixture
    def three(self, people, granted) -> list[SharingGrant]:
        """Three grandparents of one child, in the order of binding."""
        elders = [make_member(f"沈某{n}", datetime.date(1955, 1, n), region=people.region) for n in (1, 2, 3)]
        return [granted(elder, AT - (9 - n) * DAY, "grandchild") for n, elder in enumerate(elders)]

    def order(self, people) -> list[int]:
        return [grant.pk for grant in may_pay(people.child.pk, TODAY)]

    def test_before_anything_is_filed_the_first_bound_is_first(self, people, three) -> None:
        assert self.order(people) == [grant.pk for grant in three]
        assert queries.order_of(people.child.pk) == ([], 0)

    def test_the_filed_order_holds(self, people, three) -> None:
        first, second, third = (grant.pk for grant in three)
        row = grants.reorder(
            beneficiary=people.child, grant_ids=[third, first, second], version=0, by=people.clerk, at=AT
        )
        assert (row.version, row.changed_at) == (1, AT)
        assert self.order(people) == [third, first, second]
        assert told(people.child) == ["sharing_reordered"]
        line = AuditEvent.objects.get(action="sharing_reordered")
        assert (line.member_id, line.on_behalf_of_id) == (people.child.pk, people.child.pk)
        assert line.details == {"before": [], "after": [third, first, second]}

    def test_a_new_grantor_is_last_and_an_ended_one_is_gone(self, people, three, granted) -> None:
        first, second, third = (grant.pk for grant in three)
        grants.reorder(beneficiary=people.child, grant_ids=[third, second, first], version=0, by=people.clerk, at=AT)
        newest = granted()
        grants.unbind(grant=three[1], by=people.clerk, at=AT)
        assert self.order(people) == [third, first, newest.pk]

    def test_a_paused_one_keeps_its_place(self, people, three) -> None:
        first, second, third = (grant.pk for grant in three)
        grants.pause(grant=three[2], by=people.clerk, at=AT)
        grants.reorder(beneficiary=people.child, grant_ids=[third, second, first], version=0, by=people.clerk, at=AT)
        assert self.order(people) == [second, first]
        grants.resume(grant=three[2], by=people.clerk, at=AT)
        assert self.order(people) == [third, second, first]

    @pytest.mark.parametrize("case", ["version", "ended", "foreign", "twice"])
    def test_an_order_that_is_not_the_newest(self, people, three, granted, case) -> None:
        ids, version = [grant.pk for grant in three], 0
        if case == "version":
            grants.reorder(beneficiary=people.child, grant_ids=ids, version=0, by=people.clerk, at=AT)
        elif case == "ended":
            grants.unbind(grant=three[0], by=people.clerk, at=AT)
        elif case == "foreign":
            ids = [*ids, granted(beneficiary=make_member("方小苗", datetime.date(2020, 2, 2))).pk]
        else:
            ids = [*ids, ids[0]]
        with pytest.raises(Refused, match="stale_order"):
            grants.reorder(beneficiary=people.child, grant_ids=ids, version=version, by=people.clerk, at=AT)

    def test_where_the_order_is_fixed(self, people, three, rules) -> None:
        rules(order="last_bound", order_adjustable=False)
        with pytest.raises(Refused, match="not_adjustable"):
            grants.reorder(beneficiary=people.child, grant_ids=[three[0].pk], version=0, by=people.clerk, at=AT)
        assert not DeductionOrder.objects.exists()

    def test_not_by_a_grantor(self, people, three) -> None:
        for by in (people.holder, people.stranger, people.supervisor):
            with pytest.raises(PermissionDenied):
                grants.reorder(beneficiary=people.child, grant_ids=[three[0].pk], version=0, by=by, at=AT)

    def test_by_the_beneficiary_himself(self, people, granted, rules) -> None:
        people.spouse.identity_level = IdentityLevel.REGISTERED
        with pytest.raises(Refused, match="needs_verification"):
            grants.reorder(beneficiary=people.spouse.member, grant_ids=[], version=0, by=people.spouse, at=AT)
        people.spouse.identity_level = IdentityLevel.VERIFIED
        order = grants.reorder(beneficiary=people.spouse.member, grant_ids=[], version=0, by=people.spouse, at=AT)
        assert order.version == 1

    def test_somebody_insured_nowhere(self, people, rules) -> None:
        rules()
        make_region("110000")
        nobody = make_member("何某", insurance=None)
        with pytest.raises(Refused, match="not_adjustable"):
            grants.reorder(beneficiary=nobody, grant_ids=[], version=None, by=None, at=AT)

import datetime
import re
from decimal import Decimal

import pytest
from django.core.exceptions import PermissionDenied

from accounts.domain import id_number
from accounts.enums import Channel, IdentityLevel, Role
from accounts.errors import Refused
from accounts.models import AuditEvent, Message, SmsOutbox
from casework.models import Case
from family import queries
from family.actions import grants, invitations, sharing
from family.domain.check import Terms
from family.models import Commitment, SharingApplication, SharingGrant
from tests.family.support import AT, DAY, TODAY, decided, text
from tests.people import is_also, make_login, make_member, make_region, make_staff


@pytest.fixture
def ask(people, rules):
    """The holder applies for his spouse, unless told otherwise."""
    rules()

    def asked(**more):
        arguments = {
            "grantor": people.holder.member,
            "beneficiary": people.spouse.member,
            "relation": "spouse",
            "by": people.holder,
            "at": AT,
            "commitment": text(),
        }
        return sharing.apply(**(arguments | more))

    return asked


def state_of(application) -> str:
    return Case.objects.get(pk=application.case_id).state


def told(member) -> list[str]:
    return list(Message.objects.filter(member=member).order_by("id").values_list("kind", flat=True))


class TestApplying:
    def test_an_adult_is_asked(self, people, ask) -> None:
        application = ask()

        assert (state_of(application), application.consent_until) == ("consent", TODAY + 30 * DAY)
        assert (application.commitment, application.committed_at, application.committed_channel) == (
            text(),
            AT,
            "online",
        )
        assert not SharingGrant.objects.exists()
        assert told(people.holder.member) == ["sharing_waits_for_consent"]
        assert told(people.spouse.member) == ["sharing_invitation"]
        assert SmsOutbox.objects.get().kind == "sharing_invitation"

    def test_a_child_is_bound_at_once(self, people, ask) -> None:
        application = ask(beneficiary=people.child, relation="child")

        grant = SharingGrant.objects.get()
        assert state_of(application) == "granted"
        assert (grant.application, grant.bound_at, grant.starts_on, grant.ends_on) == (application, AT, TODAY, None)
        assert (grant.region, grant.uses_care, grant.uses_premium, grant.limit) == (people.region, True, True, None)
        assert told(people.child) == ["sharing_bound_beneficiary"]
        lines = AuditEvent.objects.filter(action="sharing_bound")
        assert {line.member_id for line in lines} == {people.holder.member_id, people.child.pk}

    def test_the_terms_go_into_the_grant(self, people, ask) -> None:
        terms = Terms(care=True, premium=False, limit=Decimal("2000.00"), ends_on=TODAY + 90 * DAY)
        ask(beneficiary=people.child, relation="child", terms=terms)

        grant = SharingGrant.objects.get()
        assert (grant.uses_premium, grant.limit, grant.ends_on) == (False, Decimal("2000.00"), TODAY + 90 * DAY)

    def test_all_that_the_region_offers_unless_told(self, people, ask, rules) -> None:
        rules(uses=["pay"])
        ask(beneficiary=people.child, relation="child")
        assert SharingGrant.objects.get().uses_premium is False

    @pytest.mark.parametrize(
        ("channel", "review", "state"),
        [
            ("online", "none", "granted"),
            ("online", "window", "granted"),
            ("window", "window", "review"),
            ("online", "all", "review"),
        ],
    )
    def test_what_is_looked_at_by_a_second_person(self, people, ask, rules, channel, review, state) -> None:
        rules(review=review)
        by = people.clerk if channel == "window" else people.holder
        application = ask(beneficiary=people.child, relation="child", by=by, channel=channel)
        assert state_of(application) == state

    def test_a_clerk_applies_for_the_grantor(self, people, ask) -> None:
        application = ask(by=people.clerk, channel=Channel.WINDOW, centre=people.centre, agent_name="周某")

        case = Case.objects.get()
        assert (case.opened_by, case.applicant, case.centre, case.agent_name, case.channel) == (
            people.clerk,
            people.holder.member,
            people.centre,
            "周某",
            "window",
        )
        line = AuditEvent.objects.get(action="case_submit")
        assert (line.actor_id, line.on_behalf_of_id) == (people.clerk.pk, people.holder.member_id)
        assert application.committed_channel == "window"

    def test_strangers_and_the_beneficiary_do_not_apply(self, people, ask) -> None:
        elsewhere = make_staff(Role.CLERK, region=make_region("110000"))
        for by in (people.stranger, people.spouse, people.supervisor, people.region_admin, elsewhere):
            with pytest.raises(PermissionDenied):
                ask(by=by)
        assert not Case.objects.exists()

    def test_an_identity_that_is_not_proven(self, people, ask) -> None:
        people.holder.identity_level = IdentityLevel.REGISTERED
        people.holder.save()
        with pytest.raises(Refused, match="needs_verification"):
            ask()
        assert not Case.objects.exists()

    def test_the_text_must_be_the_one_in_force(self, people, ask) -> None:
        old = text()
        Commitment.objects.create(version="2", text_zh="新", text_en="New", valid_from=TODAY)
        for commitment in (None, old):
            with pytest.raises(Refused, match="commitment_changed"):
                ask(commitment=commitment)
        assert ask().commitment.version == "2"

    def test_a_refused_application_leaves_nothing(self, people, ask) -> None:
        with pytest.raises(Refused, match="not_near_relative"):
            ask(relation="parent_in_law")
        for model in (Case, SharingApplication, Message, AuditEvent):
            assert not model.objects.exists()

    def test_twice(self, people, ask) -> None:
        ask()
        with pytest.raises(Refused, match="already_bound"):
            ask()

    def test_what_the_ages_do_not_allow_is_refused_and_leaves_nothing(self, people, ask, rules) -> None:
        for relation, relative, why in (
            ("parent", people.child, "older"),
            ("child", people.spouse.member, "younger"),
            ("spouse", people.child, "spouse"),
        ):
            with pytest.raises(Refused, match="ages_do_not_fit") as refused:
                ask(beneficiary=relative, relation=relation)
            assert refused.value.params == {"why": why, "relation": relation}
        assert not SharingApplication.objects.exists() and told(people.holder.member) == []

    def test_a_draft_whose_ages_do_not_fit_is_not_submitted_and_its_relation_can_be_changed(
        self, people, rules
    ) -> None:
        rules()
        arguments = {"grantor": people.holder.member, "beneficiary": people.child, "by": people.holder, "at": AT}
        draft = sharing.draft(relation="parent", **arguments)
        with pytest.raises(Refused, match="ages_do_not_fit"):
            sharing.submit(application=draft, by=people.holder, at=AT, commitment=text())
        draft = sharing.amend(application=draft, by=people.holder, at=AT, relation="child")
        assert sharing.submit(application=draft, by=people.holder, at=AT, commitment=text()).case.state == "granted"

    def test_oneself(self, people, ask) -> None:
        with pytest.raises(Refused, match="same_person"):
            ask(beneficiary=people.holder.member)

    def test_a_grantor_without_insurance(self, people, ask) -> None:
        nobody = make_login(make_member("何某", insurance=None))
        with pytest.raises(Refused, match="not_insured"):
            ask(grantor=nobody.member, by=nobody)


class TestConsent:
    def test_the_relative_agrees(self, people, ask) -> None:
        application = invitations.consent(application=ask(), by=people.spouse, at=AT + DAY)

        assert (application.case.state, application.consented_at) == ("granted", AT + DAY)
        assert SharingGrant.objects.get().starts_on == TODAY + DAY
        assert told(people.holder.member) == ["sharing_waits_for_consent", "sharing_bound_grantor"]
        assert told(people.spouse.member) == ["sharing_invitation", "sharing_bound_beneficiary"]

    def test_where_everything_is_reviewed_it_goes_there_next(self, people, ask, rules) -> None:
        rules(review="all")
        application = invitations.consent(application=ask(), by=people.spouse, at=AT)
        assert application.case.state == "review"
        assert not SharingGrant.objects.exists()

    def test_nobody_else_answers(self, people, ask) -> None:
        application = ask()
        for by in (people.holder, people.stranger, people.supervisor):
            with pytest.raises(PermissionDenied):
                invitations.consent(application=application, by=by, at=AT)
            with pytest.raises(PermissionDenied):
                invitations.decline(application=application, by=by, at=AT)

    def test_an_identity_that_is_not_proven(self, people, ask) -> None:
        application = ask()
        people.spouse.identity_level = IdentityLevel.REGISTERED
        people.spouse.save()
        with pytest.raises(Refused, match="needs_verification"):
            invitations.consent(application=application, by=people.spouse, at=AT)

    def test_the_last_day_and_the_day_after(self, people, ask) -> None:
        application = ask()
        with pytest.raises(Refused, match="not_in_this_state"):
            invitations.consent(application=application, by=people.spouse, at=AT + 31 * DAY)
        assert invitations.consent(application=application, by=people.spouse, at=AT + 30 * DAY).case.state == "granted"

    def test_what_has_changed_meanwhile_is_looked_at_again(self, people, ask) -> None:
        application = ask()
        people.holder.member.enrolments.update(status="suspended")
        with pytest.raises(Refused, match="suspended"):
            invitations.consent(application=application, by=people.spouse, at=AT)
        assert state_of(application) == "consent"
        assert not SharingGrant.objects.exists()

    def test_somebody_declines(self, people, ask) -> None:
        application = invitations.decline(application=ask(), by=people.spouse, at=AT)
        assert (application.case.state, application.declined_at) == ("refused", AT)
        assert told(people.holder.member)[-1] == "sharing_declined"
        with pytest.raises(Refused, match="not_in_this_state"):
            invitations.consent(application=application, by=people.spouse, at=AT)

    def test_at_the_window_with_the_code(self, people, ask) -> None:
        application = ask()
        invitations.send_code(application=application, by=people.clerk, at=AT)
        sms = SmsOutbox.objects.get(kind__startswith="code")
        assert sms.phone == people.spouse.phone
        code = re.search(r"\d{6}", sms.text)[0]

        with pytest.raises(Refused, match="code_wrong"):
            invitations.consent(
                application=application, by=people.clerk, at=AT, channel="window", code=f"{(int(code) + 1) % 10**6:06d}"
            )
        application = invitations.consent(application=application, by=people.clerk, at=AT, channel="window", code=code)
        assert (application.case.state, application.consent_channel) == ("granted", "window")

    def test_a_code_agrees_to_what_it_was_sent_for_alone(self, people, ask) -> None:
        application = ask()
        invitations.send_code(application=application, by=people.clerk, at=AT)
        code = re.search(r"\d{6}", SmsOutbox.objects.get(kind__startswith="code").text)[0]
        wider = Terms(limit=Decimal("50000.00"))
        application = sharing.amend(application=application, by=people.holder, at=AT, terms=wider)
        application = sharing.submit(
            application=application, by=people.holder, at=AT, commitment=queries.commitment_on(TODAY)
        )
        with pytest.raises(Refused, match="code_expired"):
            invitations.consent(application=application, by=people.clerk, at=AT, channel="window", code=code)
        assert state_of(application) == "consent"

    def test_begun_online_and_agreed_to_at_the_window(self, people, ask, rules, monkeypatch) -> None:
        rules(review="window")
        monkeypatch.setattr(invitations.codes, "confirm", lambda **_facts: None)
        application = invitations.consent(application=ask(), by=people.clerk, at=AT, channel="window", code="123456")
        assert (application.case.state, application.case.events.get(verb="consent").note) == ("review", "")

    def test_on_paper_a_second_person_looks_at_it(self, people, ask) -> None:
        application = invitations.consent(application=ask(), by=people.clerk, at=AT, channel="window")
        assert application.case.state == "review"
        assert application.case.events.get(verb="consent").note == "paper"

    def test_without_a_telephone_there_is_no_code(self, people, ask) -> None:
        mother = make_member("顾某芬", datetime.date(1958, 3, 3))
        application = ask(beneficiary=mother, relation="parent")
        with pytest.raises(Refused, match="no_phone"):
            invitations.send_code(application=application, by=people.clerk, at=AT)
        with pytest.raises(PermissionDenied):
            invitations.send_code(application=application, by=people.holder, at=AT)


class TestSecondCheck:
    @pytest.fixture
    def in_review(self, people, ask, rules):
        rules(review="window")
        return ask(beneficiary=people.child, relation="child", by=people.clerk, channel="window")

    def test_approve(self, people, in_review) -> None:
        assert told(people.holder.member) == ["sharing_in_review"]
        application = decided(in_review, "approve", by=people.supervisor, at=AT + DAY)

        assert (application.case.state, application.case.checked_by) == ("granted", people.supervisor)
        assert SharingGrant.objects.get().starts_on == TODAY + DAY

    def test_refuse(self, people, in_review) -> None:
        decided(in_review, "refuse", by=people.supervisor, at=AT, note="不是本人签名")
        message = Message.objects.get(member=people.holder.member, kind="sharing_refused")
        assert message.params["reason"] == "不是本人签名"
        assert told(people.child) == []

    def test_return_amend_and_submit_again(self, people, in_review) -> None:
        application = decided(in_review, "return", by=people.supervisor, at=AT, note="关系")
        assert (application.case.state, told(people.holder.member)[-1]) == ("returned", "sharing_returned")
        application = sharing.amend(
            application=application, by=people.clerk, at=AT, relation="grandchild", terms=Terms(limit=Decimal("500.00"))
        )
        assert (application.commitment, application.committed_at, application.case.checked_by) == (None, None, None)
        application = sharing.submit(
            application=application, by=people.clerk, at=AT, commitment=text(), channel="window"
        )
        decided(application, "approve", by=people.supervisor, at=AT)
        grant = SharingGrant.objects.get()
        assert (grant.relation, grant.limit) == ("grandchild", Decimal("500.00"))

    def test_the_maker_does_not_check(self, people, ask, rules) -> None:
        rules(review="window")
        both = make_staff(Role.CLERK, region=people.region)
        both.role_assignments.create(role=Role.SUPERVISOR, region=people.region)
        application = ask(beneficiary=people.child, relation="child", by=both, channel="window")
        with pytest.raises(Refused, match="own_case"):
            decided(application, "approve", by=both, at=AT)

    def test_whoever_recorded_the_consent_does_not_check(self, people, ask) -> None:
        both = make_staff(Role.CLERK, region=people.region)
        both.role_assignments.create(role=Role.SUPERVISOR, region=people.region)
        application = invitations.consent(application=ask(), by=both, at=AT, channel="window")
        with pytest.raises(Refused, match="own_case"):
            decided(application, "approve", by=both, at=AT)

    @pytest.mark.parametrize("side", ["holder", "spouse"])
    def test_neither_of_the_two_checks(self, people, ask, rules, side) -> None:
        rules(review="all")
        application = invitations.consent(application=ask(), by=people.spouse, at=AT)
        is_also(people.supervisor, getattr(people, side).member)
        with pytest.raises(Refused, match="own_case"):
            decided(application, "approve", by=people.supervisor, at=AT)

    def test_a_clerk_does_not_check(self, people, in_review) -> None:
        with pytest.raises(PermissionDenied):
            decided(in_review, "approve", by=people.clerk, at=AT)

    def test_what_has_changed_meanwhile_is_looked_at_again(self, people, in_review, rules) -> None:
        rules(relations=["spouse"], review="window")
        with pytest.raises(Refused, match="not_near_relative"):
            decided(in_review, "approve", by=people.supervisor, at=AT)
        assert state_of(in_review) == "review"
        assert Case.objects.get().checked_by is None

    def test_on_what_was_seen(self, people, in_review) -> None:
        seen = in_review.case.version
        application = sharing.amend(application=in_review, by=people.clerk, at=AT)
        sharing.submit(application=application, by=people.clerk, at=AT, commitment=text(), channel="window")
        with pytest.raises(Refused, match="stale"):
            decided(in_review, "approve", by=people.supervisor, at=AT, version=seen)


class TestTakingBack:
    def test_withdraw(self, people, ask) -> None:
        application = ask()
        with pytest.raises(PermissionDenied):
            sharing.withdraw(application=application, by=people.spouse, at=AT)
        sharing.withdraw(application=application, by=people.holder, at=AT)

        assert state_of(application) == "withdrawn"
        assert told(people.spouse.member) == ["sharing_invitation", "sharing_invitation_void"]
        ask()  # the way is free again

    def test_a_changed_application_needs_a_new_consent(self, people, ask, rules) -> None:
        rules(review="all")
        application = invitations.consent(application=ask(), by=people.spouse, at=AT)
        application = sharing.amend(
            application=application, by=people.holder, at=AT, terms=Terms(limit=Decimal("100.00"))
        )
        assert (application.consented_at, application.case.state) == (None, "returned")
        application = sharing.submit(application=application, by=people.holder, at=AT, commitment=text())
        assert application.case.state == "consent"

    def test_a_returned_one_keeps_its_consent(self, people, ask, rules) -> None:
        rules(review="all")
        application = invitations.consent(application=ask(), by=people.spouse, at=AT)
        application = decided(application, "return", by=people.supervisor, at=AT, note="?")
        application = sharing.submit(application=application, by=people.holder, at=AT, commitment=text())
        assert application.case.state == "review"

    def test_a_draft_has_no_effect(self, people, rules) -> None:
        rules()
        arguments = {"grantor": people.holder.member, "relation": "child", "by": people.holder, "at": AT}
        draft = sharing.draft(beneficiary=people.child, **arguments)
        again = sharing.draft(beneficiary=people.child, **arguments)

        assert (state_of(draft), draft.commitment) == ("draft", None)
        assert told(people.child) == []
        assert not queries.applications_visible_to(people.spouse).exists()
        draft = sharing.amend(application=draft, by=people.holder, at=AT, terms=Terms(premium=False))
        draft = sharing.submit(application=draft, by=people.holder, at=AT, commitment=text())
        assert draft.case.state == "granted"
        with pytest.raises(Refused, match="already_bound"):
            sharing.submit(application=again, by=people.holder, at=AT, commitment=text())

    def test_terms_that_no_database_would_take(self, people, rules) -> None:
        rules()
        for terms, code in (
            (Terms(care=False, premium=False), "no_use_chosen"),
            (Terms(limit=Decimal(0)), "bad_limit"),
        ):
            with pytest.raises(Refused, match=code):
                sharing.draft(
                    grantor=people.holder.member,
                    beneficiary=people.child,
                    relation="child",
                    by=people.holder,
                    at=AT,
                    terms=terms,
                )

    def test_step_and_audit_line_stand_or_fall_together(self, people, ask, monkeypatch) -> None:
        def broken(*_args):
            raise RuntimeError("no message")

        monkeypatch.setattr(sharing.notices, "bound", broken)
        with pytest.raises(RuntimeError):
            ask(beneficiary=people.child, relation="child")
        assert not SharingGrant.objects.exists()
        assert not Case.objects.exists()
        assert not AuditEvent.objects.exists()


class TestBindingByRegister:
    def test_adult_and_child(self, people, rules) -> None:
        rules(review="all")
        arguments = {"grantor": people.holder.member, "at": AT}
        assert sharing.bind(beneficiary=people.child, relation="child", **arguments) == "bound"
        assert sharing.bind(beneficiary=people.spouse.member, relation="spouse", **arguments) == "consent"
        assert SharingApplication.objects.filter(commitment=None).count() == 2
        assert set(Case.objects.values_list("channel", "opened_by")) == {("system", None)}

    def test_without_rules_on_that_day(self, people) -> None:
        with pytest.raises(Refused, match="not_permitted") as refused:
            sharing.bind(grantor=people.holder.member, beneficiary=people.child, relation="child", at=AT)
        assert refused.value.params == {"why": "no_rules"}


class TestDryRun:
    def run(self, people, **more):
        arguments = {
            "grantor": people.holder.member,
            "beneficiary": people.spouse.member,
            "relation": "spouse",
            "by": people.holder,
            "at": AT,
        }
        return sharing.dry_run(**(arguments | more))

    def test_it_would_succeed(self, people, rules) -> None:
        rules(review="window", consent_days=14)
        assert self.run(people) == sharing.DryRun(
            findings=[], consent_needed=True, review_needed=False, until=TODAY + 14 * DAY
        )
        assert self.run(people, by=people.clerk, channel="window").review_needed is True
        assert not Case.objects.exists()

    def test_it_says_all_that_the_application_would(self, people, rules, ask) -> None:
        rules(max_beneficiaries=1, relations=["child"])
        ask(beneficiary=people.child, relation="child")
        found = self.run(people).findings
        assert [finding.code for finding in found] == ["not_near_relative", "too_many_relatives"]

    def test_without_rules(self, people) -> None:
        assert [finding.code for finding in self.run(people).findings] == ["not_permitted"]

    def test_the_relative_can_see_that_he_was_asked_about(self, people, rules) -> None:
        rules()
        self.run(people)
        line = AuditEvent.objects.get()
        assert (line.action, line.member_id, line.actor_id) == (
            "sharing_dry_run",
            people.spouse.member_id,
            people.holder.pk,
        )

    def test_only_for_oneself(self, people, rules) -> None:
        rules()
        with pytest.raises(PermissionDenied):
            self.run(people, by=people.stranger)

    def test_finding_a_relative(self, people) -> None:
        member = people.spouse.member
        assert sharing.find_relative(name=member.name, id_number=member.id_number) == member
        unknown = id_number.make("310101", datetime.date(1990, 1, 1), 7)
        for name, number in (("错名", member.id_number), (member.name, unknown)):
            with pytest.raises(Refused, match="relative_not_found"):
                sharing.find_relative(name=name, id_number=number)


class TestNumbers:
    def test_one_grantor_only_and_his_name_is_not_told(self, people, rules, ask) -> None:
        rules(max_grantors=1)
        ask(beneficiary=people.child, relation="child")
        with pytest.raises(Refused, match="too_many_grantors") as refused:
            ask(
                grantor=people.spouse.member,
                by=people.spouse,
                beneficiary=people.child,
                relation="child",
            )
        assert refused.value.params == {"most": 1}
        grants.unbind(grant=SharingGrant.objects.get(), by=people.holder, at=AT)
        ask(grantor=people.spouse.member, by=people.spouse, beneficiary=people.child, relation="child")

    def test_both_ways(self, people, rules, ask) -> None:
        invitations.consent(application=ask(), by=people.spouse, at=AT)
        back = {"grantor": people.spouse.member, "beneficiary": people.holder.member, "by": people.spouse}
        with pytest.raises(Refused, match="mutual_binding"):
            ask(**back)
        rules(mutual=True)
        assert state_of(ask(**back)) == "consent"

    def test_another_region(self, people, ask) -> None:
        father = make_member("沈某梁", datetime.date(1957, 5, 5), region=make_region("110000"))
        with pytest.raises(Refused, match="different_region"):
            ask(beneficiary=father, relation="parent")

    def test_the_dead(self, people, ask) -> None:
        people.child.died_on = TODAY
        people.child.save()
        with pytest.raises(Refused, match="not_insured"):
            ask(beneficiary=people.child, relation="child")
        ask(beneficiary=people.spouse.member)
        people.holder.member.died_on = TODAY
        people.holder.member.save()
        with pytest.raises(Refused, match="closed"):
            invitations.consent(application=SharingApplication.objects.get(), by=people.spouse, at=AT)

"""Closing an account: paid out, inherited, carried over; what stands against it; and money that comes in later."""

import datetime
from dataclasses import replace
from decimal import Decimal
from functools import partial

import pytest
from django.db import IntegrityError, connection, transaction
from django.urls import reverse
from django.utils import translation

from accounts import clock, reasons
from accounts.errors import Refused
from accounts.models import AuditEvent, Enrolment, Member, Message
from casework.actions import cases
from family.models import SharingGrant
from settlements import tasks
from settlements.actions import care, crediting, payouts, rollover, withdrawal
from settlements.actions.payees import PayeeAsked
from settlements.models import Payee, Payout, PersonalAccount
from settlements.queries import member as read
from settlements.telling import movements
from tests.people import make_centre, make_member, make_staff
from tests.settlements.rollover.world import at, faults, release_run, work_to_the_end
from tests.settlements.scene import BEIJING, bill, make_scene, open_with, region_of_file, undo
from tests.support.pages import log_in
from tests.support.races import at_once

DAY = datetime.timedelta(days=1)


def bank(**more) -> PayeeAsked:
    return PayeeAsked(
        **({"way": "bank", "name": "沈某宁", "bank": "浦江银行", "bank_account": "6222020000012345"} | more)
    )


class Desk:
    """A clerk and a supervisor of the scene's region, with short ways to close accounts."""

    def __init__(self, scene) -> None:
        self.scene = scene
        centre = make_centre(scene.region)
        self.clerk = make_staff("clerk", region=scene.region, centre=centre, name="柜员甲")
        self.supervisor = make_staff("supervisor", region=scene.region, centre=centre, name="复核员乙")

    def draft(self, kind="withdrawal", reason="emigrated", payees=None, account=None, since=None, **more):
        return withdrawal.draft(
            purse=account or self.scene.account,
            kind=kind,
            reason=reason,
            since=since or self.scene.on,
            payees=payees or [bank()],
            by=self.clerk,
            at=clock.now(),
            **more,
        )

    def submit(self, *args, **more):
        return withdrawal.submit(application=self.draft(*args, **more), by=self.clerk, at=clock.now())

    def grant(self, application):
        application.case = cases.decide(case=application.case, verb="approve", by=self.supervisor, at=clock.now())
        return application

    def close(self, *args, **more):
        return self.grant(self.submit(*args, **more))


@pytest.fixture
def desk(db) -> Desk:
    return Desk(make_scene())


def heirs(desk, *percents, members=()) -> list[PayeeAsked]:
    rows = []
    for place, percent in enumerate(percents):
        member = members[place] if place < len(members) else make_member(region=desk.scene.region, insurance="resident")
        rows.append(bank(name=member.name, id_number=member.id_number, relation="child", percent=Decimal(percent)))
    return rows


def amounts() -> list[Decimal]:
    return list(Payout.objects.order_by("id").values_list("amount", flat=True))


class TestWithdrawal:
    def test_all_goes_out_and_the_account_is_closed(self, desk) -> None:
        run = withdrawal.dry_run(
            purse=desk.scene.account,
            kind="withdrawal",
            reason="emigrated",
            since=desk.scene.on,
            by=desk.clerk,
            at=clock.now(),
        )
        assert run.findings == []
        application = desk.close()
        account = PersonalAccount.objects.get(pk=desk.scene.account.pk)
        assert (account.status, account.current, account.historical) == ("closed", 0, 0)
        assert amounts() == [run.going.paid]
        assert run.going.paid + run.taken_back == Decimal("7604.00")
        assert application.case.state == "granted"
        assert faults(desk.scene.on) == []

    def test_what_was_credited_ahead_goes_back_first(self, desk) -> None:
        """Shanghai credits the whole year on 1 July: who leaves in November gives back what is for later."""
        run = withdrawal.dry_run(
            purse=desk.scene.account,
            kind="withdrawal",
            reason="gave_up",
            since=desk.scene.on,
            by=desk.clerk,
            at=clock.now(),
        )
        assert run.taken_back > 0
        assert run.going.paid == Decimal("7604.00") - run.taken_back
        account = PersonalAccount.objects.get(pk=desk.scene.account.pk)
        assert account.current + account.historical == Decimal("7604.00"), "a dry run leaves no trace"
        assert Enrolment.objects.filter(member=desk.scene.daughter.member).count() == 1

    def test_grants_end_and_the_insurance_with_them(self, desk) -> None:
        desk.close()
        assert SharingGrant.objects.get(pk=desk.scene.grant.pk).ends_on == desk.scene.on
        settled = bill(desk.scene)
        assert settled.shared == 0

    def test_told_to_the_member_and_written_in_the_log(self, desk) -> None:
        application = desk.close()
        kinds = set(Message.objects.filter(member=desk.scene.daughter.member).values_list("kind", flat=True))
        assert {"closing_in_review", "closing_granted_withdrawal"} <= kinds
        line = AuditEvent.objects.get(action="account_closed")
        assert (line.actor_id, line.member_id) == (desk.supervisor.pk, desk.scene.daughter.member_id)
        assert line.details["paid"] == str(amounts()[0])
        assert "6222020000012345" not in str(line.details)
        assert application.case.checked_by == desk.supervisor

    def test_the_bank_account_is_encrypted(self, desk) -> None:
        desk.draft()
        with connection.cursor() as cursor:
            cursor.execute("SELECT bank_account FROM settlements_payee")
            stored = bytes(cursor.fetchone()[0])
        assert b"6222" not in stored
        assert Payee.objects.get().masked_bank_account == "622*********2345"

    def test_due_when_the_region_says(self, desk) -> None:
        application = desk.submit()
        assert application.case.due_on is not None
        assert 2 <= (application.case.due_on - desk.scene.on).days <= 10

    def test_the_maker_does_not_check(self, desk) -> None:
        application = desk.submit()
        both = make_staff("supervisor", region=desk.scene.region, name="复核员丙")
        desk.clerk.role_assignments.create(role="supervisor", region=desk.scene.region, granted_at=clock.now())
        if hasattr(desk.clerk, "_portal_roles"):
            del desk.clerk._portal_roles
        with pytest.raises(Refused, match="own_case"):
            cases.decide(case=application.case, verb="approve", by=desk.clerk, at=clock.now())
        assert cases.decide(case=application.case, verb="approve", by=both, at=clock.now()).state == "granted"

    @pytest.mark.parametrize(
        ("more", "code"),
        [
            ({"reason": "died"}, "reason_not_offered"),
            ({"reason": "settled_elsewhere"}, "reason_not_offered"),
            ({"since": datetime.date(2100, 1, 1)}, "since_in_future"),
            ({"payees": [bank(percent=Decimal("99.99"))]}, "shares_not_whole"),
        ],
    )
    def test_refused(self, desk, more, code) -> None:
        with pytest.raises(Refused, match=code):
            desk.draft(**more)
        assert not Payee.objects.exists()

    def test_once_applied_for_is_enough(self, desk) -> None:
        desk.draft()
        with pytest.raises(Refused, match="closing_applied"):
            desk.draft()

    def test_what_is_open_is_settled_first(self, desk) -> None:
        from settlements.domain.withdrawal import Open
        from settlements.queries import withdrawal as queries

        application = desk.submit()
        probe = lambda account: [Open(what="bill", name="浦江中心医院")]  # noqa: E731
        queries.register_open(probe)
        try:
            with pytest.raises(Refused, match="settle_first") as refused:
                desk.grant(application)
            assert refused.value.params["name"] == "浦江中心医院"
        finally:
            queries._probes.remove(probe)
        assert PersonalAccount.objects.get(pk=desk.scene.account.pk).status == "open"
        assert desk.grant(application).case.state == "granted"

    def test_changed_it_is_checked_anew(self, desk) -> None:
        application = desk.submit()
        withdrawal.amend(
            application=application,
            reason="gave_up",
            since=desk.scene.on,
            payees=[bank(bank_account="6222029999999999")],
            by=desk.clerk,
            at=clock.now(),
        )
        assert (application.case.state, application.payees.get().bank_account) == ("returned", "6222029999999999")
        with pytest.raises(Refused, match="not_in_this_state"):
            desk.grant(application)

    def test_a_closed_account_is_neither_credited_nor_closed_again(self, desk) -> None:
        desk.close()
        enrolment = Enrolment.objects.filter(member=desk.scene.daughter.member).first()
        with pytest.raises(Refused, match="closed") as refused:
            crediting.credit(enrolment=enrolment, every="year", on=desk.scene.on)
        with translation.override("zh-hans"):
            assert reasons.tell_refused(refused.value).reason == "账户已注销。"
            assert reasons.tell("closed").reason == "此人已终止参保。"  # what else is closed is the insurance
        with pytest.raises(Refused, match="closed"):
            desk.draft()

    def test_the_database_holds_that_it_is_empty_and_the_shares_whole(self, desk) -> None:
        with pytest.raises(IntegrityError), transaction.atomic():
            PersonalAccount.objects.filter(pk=desk.scene.account.pk).update(status="closed")
        desk.draft(payees=[bank()])
        with pytest.raises(IntegrityError), transaction.atomic():
            Payee.objects.update(percent=Decimal(50))
            connection.check_constraints()


class TestInheritance:
    def test_to_three_heirs_by_their_shares(self, desk) -> None:
        asked = heirs(desk, "33.33", "33.33", "33.34")
        desk.close("inheritance", "died", asked)
        assert len(amounts()) == 3
        entry = desk.scene.account.entries.order_by("-version").first()
        assert sum(amounts()) == -(entry.current_delta + entry.historical_delta)
        assert Member.objects.get(pk=desk.scene.daughter.member_id).died_on == desk.scene.on
        assert faults(desk.scene.on) == []

    def test_an_insured_heir_gets_it_into_his_account(self, desk) -> None:
        father = desk.scene.father.member
        before = PersonalAccount.objects.get(pk=desk.scene.fathers.pk).historical
        other = make_member(region=desk.scene.region, insurance="resident")
        into = PayeeAsked(
            way="account", name=father.name, id_number=father.id_number, relation="parent", percent=Decimal(50)
        )
        asked = [into, *heirs(desk, "50", members=[other])]
        desk.close("inheritance", "died", asked)
        first, second = Payout.objects.order_by("id")
        assert (first.to_account, second.to_account) == (desk.scene.fathers, None)
        assert PersonalAccount.objects.get(pk=desk.scene.fathers.pk).historical == before + first.amount
        told = Message.objects.get(kind="closing_inherited", member=father)
        assert told.params["amount"] == str(first.amount)
        assert faults(desk.scene.on) == []

    def test_the_way_follows_the_insurance(self, desk) -> None:
        father = desk.scene.father.member
        with pytest.raises(Refused, match="heir_is_insured"):
            desk.draft("inheritance", "died", heirs(desk, "100", members=[father]))
        nobody = make_member(region=desk.scene.region, insurance="resident")
        asked = PayeeAsked(way="account", name=nobody.name, id_number=nobody.id_number, relation="child")
        with pytest.raises(Refused, match="payee_without_account"):
            desk.draft("inheritance", "died", [asked])

    def test_no_heir_the_pooled_fund(self, desk) -> None:
        desk.close("inheritance", "died", [PayeeAsked(way="fund", name="统筹基金")])
        assert Payout.objects.get().payee.way == "fund"
        assert faults(desk.scene.on) == []

    def test_the_day_of_the_register_counts(self, desk) -> None:
        Member.objects.filter(pk=desk.scene.daughter.member_id).update(died_on=desk.scene.on - 3 * DAY)
        with pytest.raises(Refused, match="other_day_of_death"):
            desk.draft("inheritance", "died", heirs(desk, "100"))
        with pytest.raises(Refused, match="has_died"):
            desk.draft()
        desk.close("inheritance", "died", heirs(desk, "100"), since=desk.scene.on - 3 * DAY)
        assert SharingGrant.objects.get(pk=desk.scene.grant.pk).ends_on == desk.scene.on - 3 * DAY

    @pytest.mark.parametrize("wrong", ["twice", "deceased"])
    def test_who_cannot_be_an_heir(self, desk, wrong) -> None:
        child = make_member(region=desk.scene.region, insurance="resident")
        members = [child, child] if wrong == "twice" else [desk.scene.daughter.member, child]
        with pytest.raises(Refused, match=f"heir_{'twice' if wrong == 'twice' else 'is_deceased'}"):
            desk.draft("inheritance", "died", heirs(desk, "50", "50", members=members))

    def test_the_money_of_an_heir_does_not_go_to_somebody_of_another_name(self, desk) -> None:
        """One digit of the ID number mistyped may be somebody else's, who would be paid."""
        into = desk.scene.father.member
        asked = [PayeeAsked(way="account", name=into.name + "甲", id_number=into.id_number, relation="parent")]
        with pytest.raises(Refused, match="heir_of_another_name"):
            desk.draft("inheritance", "died", asked)
        (heir,) = heirs(desk, "100")
        with pytest.raises(Refused, match="heir_of_another_name"):
            desk.draft("inheritance", "died", [replace(heir, name="别人")])

    def test_bills_after_the_death_are_told_to_staff(self, desk) -> None:
        from settlements.queries.withdrawal import bills_after_death, dead_of

        after = bill(desk.scene, on=desk.scene.on)
        before = bill(desk.scene, on=desk.scene.on - 5 * DAY)
        desk.close("inheritance", "died", heirs(desk, "100"), since=desk.scene.on - DAY)
        found = list(bills_after_death(desk.clerk))
        assert found == [after] and before not in found
        assert dead_of(after) == [desk.scene.daughter.member]
        assert list(bills_after_death(desk.scene.daughter)) == []

    def test_money_that_comes_back_later_goes_to_the_same_heirs(self, desk) -> None:
        settled = bill(desk.scene, on=desk.scene.on)
        assert settled.shared > 0
        application = desk.close("inheritance", "died", heirs(desk, "60", "40"), since=desk.scene.on - DAY)
        undo(desk.scene, settled)
        account = PersonalAccount.objects.get(pk=desk.scene.account.pk)
        assert (account.status, account.historical) == ("late", settled.shared)
        assert payouts.pay_on_all(on=desk.scene.on) == (1, [])
        account.refresh_from_db()
        assert (account.status, account.current, account.historical) == ("closed", 0, 0)
        late = amounts()[-2:]
        assert sum(late) == settled.shared and late[0] > late[1]
        assert AuditEvent.objects.filter(action="late_money_paid").count() == 1
        assert payouts.pay_on_all(on=desk.scene.on) == (0, [])
        with pytest.raises(Refused, match="closed"):
            payouts.pay_on(application=application, on=desk.scene.on)
        assert faults(desk.scene.on) == []


class TestTransferOut:
    def test_into_the_account_of_the_new_region_opened_for_it(self, desk) -> None:
        beijing = region_of_file(BEIJING)
        asked = [PayeeAsked(way="region", name="北京市", region=beijing)]
        desk.close("transfer_out", "moved", asked)
        new = PersonalAccount.objects.get(member=desk.scene.daughter.member, region=beijing)
        assert new.historical == amounts()[0]
        assert PersonalAccount.objects.get(pk=desk.scene.account.pk).status == "closed"
        assert faults(desk.scene.on) == []

    def test_to_a_region_that_is_not_kept_here(self, desk) -> None:
        desk.close("transfer_out", "moved", [PayeeAsked(way="region", name="某市医保中心")])
        assert Payout.objects.get().to_account is None
        assert faults(desk.scene.on) == []

    def test_back_again_the_old_account_is_taken_up(self, desk) -> None:
        beijing = region_of_file(BEIJING)
        desk.close("transfer_out", "moved", [PayeeAsked(way="region", name="北京市", region=beijing)])
        new = PersonalAccount.objects.get(member=desk.scene.daughter.member, region=beijing)
        there = Desk(desk.scene)
        there.clerk = make_staff("clerk", region=beijing, name="柜员丁")
        there.supervisor = make_staff("supervisor", region=beijing, name="复核员戊")
        home = [PayeeAsked(way="region", name="上海市", region=desk.scene.region)]
        there.close("transfer_out", "moved", home, account=new)
        back = PersonalAccount.objects.get(pk=desk.scene.account.pk)
        assert (back.status, back.historical) == ("open", amounts()[-1])
        assert faults(desk.scene.on) == []


def test_a_debt_is_repaid_before_anybody_is_paid(desk) -> None:
    poor = make_member(region=desk.scene.region)
    account = open_with(poor, desk.scene.region, desk.scene.on - 40 * DAY, "0.00", "100.00", True)
    from tests.support.ledger import move

    move(account, desk.scene.on, debt=Decimal("30.00"), kind="clearing")
    run = withdrawal.dry_run(
        purse=account,
        kind="withdrawal",
        reason="emigrated",
        since=desk.scene.on,
        by=desk.clerk,
        at=clock.now(),
    )
    assert run.going.paid == run.going.current + run.going.historical - run.going.repaid
    assert run.going.repaid >= Decimal("30.00") or run.going.paid == 0


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("turn", range(3))
def test_a_bill_while_it_is_granted_the_money_goes_one_way(turn) -> None:
    scene = make_scene(current="0.00", historical="100.00")
    Enrolment.objects.filter(member=scene.daughter.member).update(base=None)
    desk = Desk(scene)
    application = desk.submit()

    def settle():
        one = care.Bill(kind="outpatient", level="tertiary", in_scope=Decimal("80.00"))
        made = care.settle(
            patient=scene.father.member, institution=scene.institution, bill=one, on=scene.on, key=f"race-{turn}"
        )
        return f"bill {made.shared}"

    outcomes = at_once(settle, lambda: f"closed {desk.grant(application).case.state}")
    paid = sum(amounts())
    shared = Decimal(next(one for one in outcomes if one.startswith("bill")).split()[1])
    assert "closed granted" in outcomes
    assert paid + shared == Decimal("100.00")
    assert faults(scene.on) == []


@pytest.mark.django_db(transaction=True)
def test_granted_at_once_by_two_it_is_paid_once() -> None:
    desk = Desk(make_scene())
    application = desk.submit()
    second = make_staff("supervisor", region=desk.scene.region, name="复核员丙")

    def approve(by):
        return cases.decide(case=application.case, verb="approve", by=by, at=clock.now()).state

    outcomes = at_once(partial(approve, desk.supervisor), partial(approve, second))
    assert outcomes == ["granted", "stale"]
    assert len(amounts()) == 1
    assert faults(desk.scene.on) == []


def test_interest_of_the_last_year_comes_after_the_account_is_closed(desk) -> None:
    """The year's rates are known when it ends: what the days before the closing earned goes to the payee then."""
    scene = desk.scene
    desk.close()
    account = PersonalAccount.objects.get(pk=scene.account.pk)
    run = release_run(scene.region, account.benefit_year)
    boundary = datetime.date(run.year + 1, 7, 1)
    rollover.begin(run=run, at=at(boundary))
    work_to_the_end(run)
    account.refresh_from_db()
    assert (account.status, account.benefit_year) == ("late", run.year + 1)
    interest = account.historical
    assert interest > 0
    assert payouts.pay_on_all(on=boundary) == (1, [])
    assert amounts()[-1] == interest
    assert faults(boundary) == []


def test_told_in_plain_words(desk) -> None:
    father = desk.scene.father.member
    asked = [PayeeAsked(way="account", name=father.name, id_number=father.id_number, relation="parent")]
    application = desk.close("inheritance", "died", asked)
    accounts = {"holder": desk.scene.account, "heir": desk.scene.fathers}
    lines = {
        who: read.lines(account, account.entries.filter(kind="withdrawal").select_related("transaction"))[0]
        for who, account in accounts.items()
    }
    with translation.override("en"):
        told = {who: movements.tell_line(line, desk.scene.on) for who, line in lines.items()}
    assert told["holder"].what == "Paid to the heirs, the account is closed"
    assert told["heir"].what == "Inherited from 沈*宁"
    assert application.case.number in told["heir"].small


def test_the_administration_lists_payouts_and_bills_after_a_death(desk) -> None:
    after = bill(desk.scene, on=desk.scene.on)
    desk.close("inheritance", "died", heirs(desk, "100"), since=desk.scene.on - DAY)
    admin = log_in(make_staff("region_admin", region=desk.scene.region, name="区管丙"))
    listed = admin.get(reverse("admin:settlements_payout_changelist")).content.decode()
    assert Payout.objects.get().payee.application.case.number in listed and "6222020000012345" not in listed
    page = admin.get(reverse("admin:settlements_settlement_after_death")).content.decode()
    assert after.number in page and "沈某宁" not in page
    assert AuditEvent.objects.filter(action="admin_view", member_id=desk.scene.daughter.member_id).exists()
    undo(desk.scene, after)
    assert after.number not in admin.get(reverse("admin:settlements_settlement_after_death")).content.decode()
    elsewhere = log_in(make_staff("region_admin", region=region_of_file(BEIJING), name="区管丁"))
    assert (
        Payout.objects.get().payee.application.case.number
        not in elsewhere.get(reverse("admin:settlements_payout_changelist")).content.decode()
    )


@pytest.mark.parametrize(
    ("sql", "name"),
    [
        ("UPDATE settlements_payout SET amount = amount - 0.01", "what was withdrawn is what was paid out"),
        (
            "UPDATE settlements_payout SET to_account_id = from_account_id",
            "what was withdrawn is what was paid out",
        ),
        (
            "UPDATE settlements_personalaccount SET status = 'late' WHERE status = 'open'",
            "a closed account is empty",
        ),
    ],
)
def test_the_checks_find_it(desk, sql, name) -> None:
    desk.close()
    assert faults(desk.scene.on) == []
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("ALTER TABLE settlements_payout DISABLE TRIGGER USER")
        cursor.execute(sql)
    assert name in {finding.check.name for finding in faults(desk.scene.on)}


def test_a_payout_is_never_changed(desk) -> None:
    desk.close()
    with pytest.raises(IntegrityError), transaction.atomic():
        Payout.objects.update(amount=Decimal(1))


def test_the_beat_pays_on_and_tells_what_cannot_be(desk, caplog) -> None:
    settled = bill(desk.scene, on=desk.scene.on)
    father = desk.scene.father.member
    asked = [PayeeAsked(way="account", name=father.name, id_number=father.id_number, relation="parent")]
    desk.close("inheritance", "died", asked, since=desk.scene.on - DAY)
    undo(desk.scene, settled)
    PersonalAccount.objects.filter(pk=desk.scene.fathers.pk).update(status="late")
    tasks.pay_on_late_money()
    assert "cannot be paid on" in caplog.text
    PersonalAccount.objects.filter(pk=desk.scene.fathers.pk).update(status="open")
    tasks.pay_on_late_money()
    assert PersonalAccount.objects.get(pk=desk.scene.account.pk).status == "closed"

"""Two who act at the same moment, at the window, at home and by night: one follows the other, and the books agree."""

import datetime
from decimal import Decimal
from functools import partial

import pytest

from accounts import clock
from accounts.models import AuditEvent, Enrolment, Member, Message
from accounts.money import ZERO
from casework.actions import cases
from casework.models import Case
from family.actions import grants, invitations, sharing
from family.models import SharingGrant
from family.queries import commitment_on
from settlements.actions import (
    bill_reversals,
    care,
    catalogue,
    claims,
    contributions,
    crediting,
    drafts,
    leaving,
    opening,
    payouts,
    premiums,
    recalculation,
    wallet,
    withdrawal,
)
from settlements.actions.payees import PayeeAsked
from settlements.models import (
    BillReversal,
    Clawback,
    CreditRun,
    PersonalAccount,
    PremiumPayment,
    Recalculation,
    Reimbursement,
    Settlement,
    Wallet,
    WithdrawalApplication,
)
from tests.family.support import AT, make_rules
from tests.people import make_member, make_people, make_staff
from tests.settlements import test_bill_reversals, test_catalogue_files, test_claims, test_contributions, test_drafts
from tests.settlements.rollover.world import at, faults, yuan
from tests.settlements.scene import BEIJING, make_scene, open_with, region_of_file, share
from tests.settlements.test_premiums import LAST, due, moment, order
from tests.settlements.test_reopening import come_back
from tests.settlements.test_withdrawal import DAY, Desk, amounts, heirs
from tests.support.races import at_once, held_up, twice

pytestmark = pytest.mark.django_db(transaction=True)
TURNS = range(3)


def enrolment_of(member: Member) -> Enrolment:
    return Enrolment.objects.select_related("region", "member").filter(member=member).latest("valid_from")


def left(member: Member, why: str, on: datetime.date) -> str:
    leaving.leave(enrolment=enrolment_of(member), why=why, on=on, at=at(on, 15))
    return why


def settled(scene, patient: Member, key: str, amount: str = "80.00") -> Settlement:
    asked = care.Bill(kind="outpatient", level="tertiary", in_scope=Decimal(amount))
    return care.settle(patient=patient, institution=scene.institution, bill=asked, on=scene.on, key=key)


def approved(case: Case, by, hour: int = 15) -> str:
    return cases.decide(
        case=case, verb="approve", by=by, at=test_claims.at(hour=hour), note="", version=case.version
    ).state


# Deaths and leaving


@pytest.mark.parametrize("why", ["died", "moved"])
def test_an_account_is_not_opened_again_for_who_has_died_or_left_meanwhile(monkeypatch, why) -> None:
    """The night looks before it holds the account: what came first shows once it does."""
    desk = Desk(make_scene(on=datetime.date(2026, 11, 20)))
    desk.close()
    back = desk.scene.on + 3 * DAY
    come_back(desk, back)
    outcomes = held_up(
        monkeypatch,
        (leaving, "_take_back"),
        lambda: left(desk.scene.daughter.member, why, back),
        lambda: opening.reopen(region_id=desk.scene.region.pk, on=back),
    )
    assert outcomes == ["0", why]
    assert PersonalAccount.objects.get(pk=desk.scene.account.pk).status == "closed"
    assert not AuditEvent.objects.filter(action="account_reopened").exists()
    assert not Message.objects.filter(kind="account_reopened").exists()
    assert faults(back) == []


def test_opened_again_twice_it_is_told_once() -> None:
    desk = Desk(make_scene(on=datetime.date(2026, 11, 20)))
    desk.close()
    come_back(desk, desk.scene.on + DAY)
    again = partial(opening.reopen, region_id=desk.scene.region.pk, on=desk.scene.on + DAY)
    assert twice(again) == ["0", "1"]
    assert AuditEvent.objects.filter(action="account_reopened").count() == 1


@pytest.mark.parametrize("first", ["grantor", "beneficiary"])
def test_whoever_leaves_while_the_other_of_a_grant_changes_it_waits_for_nobody_who_waits_for_him(
    monkeypatch, first
) -> None:
    """Whichever of the two has the lower number, by which members are locked."""
    people = make_people()
    make_rules(people.region)
    pair = [people.holder.member, people.spouse.member]
    grantor, beneficiary = pair if first == "beneficiary" else pair[::-1]
    grant = share(grantor, beneficiary, "spouse", people.region, AT.date() - DAY)
    outcomes = held_up(
        monkeypatch,
        (leaving, "lock_members"),
        lambda: left(pair[1], "died", AT.date()),
        lambda: grants.adjust(grant=grant, by=None, at=AT, limit=yuan("5.00")).limit,
    )
    grant.refresh_from_db()
    assert (grant.ends_on, grant.end_reason) == (AT.date(), "died")
    assert outcomes == ["died", "not_bound"]


def test_two_who_share_with_each_other_die_on_one_day(monkeypatch) -> None:
    people = make_people()
    make_rules(people.region)
    one, other = people.holder.member, people.spouse.member
    share(one, other, "spouse", people.region, AT.date() - DAY)
    share(other, one, "spouse", people.region, AT.date() - DAY)
    outcomes = held_up(
        monkeypatch,
        (leaving, "lock_members"),
        lambda: left(other, "died", AT.date()),
        lambda: left(one, "died", AT.date()),
    )
    assert outcomes == ["died", "died"]
    assert set(SharingGrant.objects.values_list("ends_on", "end_reason")) == {(AT.date(), "died")}


@pytest.mark.parametrize("turn", TURNS)
@pytest.mark.parametrize("step", ["consent", "review"])
def test_nobody_who_has_died_is_bound(step, turn) -> None:
    people = make_people()
    make_rules(people.region, **({"review": "window", "verification_age": 100} if step == "review" else {}))
    grantor, beneficiary = people.holder.member, people.spouse.member
    application = sharing.apply(
        grantor=grantor, beneficiary=beneficiary, relation="spouse", at=AT, by=people.clerk if step == "review" else None,
        commitment=commitment_on(AT.date()), channel="window" if step == "review" else "system",
    )  # fmt: skip
    assert application.case.state == step

    def agree() -> str:
        if step == "consent":
            return invitations.consent(application=application, by=people.spouse, at=AT).case.state
        return cases.decide(case=application.case, verb="approve", by=people.supervisor, at=AT).state

    outcomes = at_once(agree, lambda: left(beneficiary if turn % 2 else grantor, "died", AT.date()))
    assert "died" in outcomes
    assert "granted" in outcomes or outcomes in (["closed", "died"], ["deceased", "died"], ["died", "not_insured"])
    assert not SharingGrant.objects.exclude(ends_on__lte=AT.date()).exists()


@pytest.mark.parametrize("turn", TURNS)
def test_an_heir_pays_a_bill_with_both_accounts_while_he_inherits_one(monkeypatch, turn) -> None:
    """The heir's account has the lower number: whoever pays his bill holds it and then waits for the other."""
    scene = make_scene(current="0.00", historical="100.00")
    desk = Desk(scene)
    heir = scene.daughter.member
    dead = make_member("沈某山", datetime.date(1955, 1, 1), region=scene.region, base=None)
    inherited = open_with(dead, scene.region, scene.on - 40 * DAY, "0.00", "60.00", True)
    assert inherited.pk > scene.account.pk
    share(dead, heir, "child", scene.region, scene.on - 40 * DAY, limit=None)
    into = PayeeAsked(way="account", name=heir.name, id_number=heir.id_number, relation="child")
    application = desk.submit("inheritance", "died", [into], account=inherited)
    outcomes = held_up(
        monkeypatch,
        (payouts, "_target"),
        lambda: f"closed {desk.grant(application).case.state}",
        lambda: f"bill {settled(scene, heir, f'heir-{turn}', '120.00').cash}",
    )
    assert outcomes == ["bill 0.00", "closed granted"]
    assert amounts() == [yuan("60.00")]
    assert PersonalAccount.objects.get(pk=scene.account.pk).historical == yuan("40.00")
    assert faults(scene.on) == []


@pytest.mark.parametrize("turn", TURNS)
def test_what_was_credited_ahead_and_a_late_bill_take_the_same_money_once(turn) -> None:
    """2,400 were credited for the year, 1,800 of it for the months from the one in which she moved."""
    region, on = region_of_file(), datetime.date(2025, 10, 10)
    scene = make_scene(on=on)
    member = make_member(region=region, base=yuan("10000.00"))
    account = opening.open_account(member=member, region_id=region.pk, on=datetime.date(2025, 6, 1))
    crediting.credit(enrolment=enrolment_of(member), every="year", on=datetime.date(2025, 7, 1))
    outcomes = at_once(
        lambda: left(member, "moved", on),
        lambda: f"bill {settled(scene, member, f'late-{turn}', '1500.00').own_current}",
    )
    assert outcomes in (["bill 1500.00", "moved"], ["closed", "moved"])
    paid = Settlement.objects.filter(patient=member).first()
    account.refresh_from_db()
    taken_back = sum(Clawback.objects.values_list("amount", flat=True))
    assert taken_back == yuan("1800.00")
    assert account.current - account.debt == yuan("600.00") - (paid.own_current if paid else ZERO)
    assert faults(on) == []


@pytest.mark.parametrize("turn", TURNS)
@pytest.mark.parametrize("how", ["left", "carried over"])
def test_a_bill_paid_in_cash_is_granted_while_its_patient_leaves(how, turn) -> None:
    """His account pays its part of the bill, or it goes with him: never both."""
    desk = test_claims.Desk()
    for rule in desk.region.data["filing"]:
        rule["accounts"] = True
    # Where a region lets the office close an account while a claim waits.
    for rule in desk.region.data["withdrawal"]:
        rule.update(blocks=["bill"], ended_first=False)
        rule.pop("from_day", None)
    desk.region.save()
    claim, on = desk.submit(), test_claims.LAST
    if how == "left":
        go = partial(left, desk.patient.member, "moved", on)
    else:
        asked = {
            "purse": desk.account, "kind": "transfer_out", "reason": "moved", "since": on, "by": desk.clerk,
            "payees": [PayeeAsked(way="region", name="某市医保中心")], "at": test_claims.at(),
        }  # fmt: skip
        with clock.standing(test_claims.at()):
            application = withdrawal.submit(application=withdrawal.draft(**asked), by=desk.clerk, at=test_claims.at())

        def go() -> str:
            cases.decide(case=application.case, verb="approve", by=desk.supervisor, at=test_claims.at(hour=15))
            return "moved"

    outcomes = at_once(lambda: approved(claim.case, desk.supervisor), go)
    assert outcomes == ["granted", "moved"]
    claim.refresh_from_db()
    desk.account.refresh_from_db()
    assert claim.settlement.own_historical + sum(amounts()) + desk.account.historical == yuan("800.00")
    assert Reimbursement.objects.get().amount == claims.paid_back(claim.settlement)
    assert faults(on) == []


# Two at the desk


def test_two_clerks_apply_for_one_account() -> None:
    desk = Desk(make_scene())
    assert twice(lambda: desk.draft().case.state) == ["closing_applied", "draft"]
    assert WithdrawalApplication.objects.count() == Case.objects.count() == 1


def test_two_clerks_ask_for_one_year_anew() -> None:
    desk = test_claims.Desk()
    test_bill_reversals.granted_on(desk, test_claims.CARE_DAY, "2000.00", "1")
    test_bill_reversals.granted_on(desk, test_claims.CARE_DAY - 8 * DAY, "1000.00", "2")
    who = {"member": desk.patient.member, "region_id": desk.region.pk, "year": 2025}
    seen = recalculation.preview(**who, on=test_claims.LAST).as_data()

    def ask() -> str:
        asked = recalculation.request_recalculation(
            **who,
            seen=seen,
            by=desk.clerk,
            at=test_claims.at(hour=15),
            bank="示例银行",
            bank_account="6222020200012345",
        )
        return asked.case.state

    assert twice(ask) == ["already_asked", "review"]
    assert Recalculation.objects.count() == 1


def test_two_clerks_ask_for_one_bill_to_be_undone() -> None:
    desk = test_claims.Desk()
    claim = test_bill_reversals.granted(desk)
    assert twice(lambda: test_bill_reversals.ask(desk, claim).case.state) == ["already_asked", "review"]
    assert BillReversal.objects.count() == 1


def test_asked_to_be_undone_while_it_is_undone(monkeypatch) -> None:
    """Whoever waited for the claim looks at the bill as it stands then."""
    desk = test_claims.Desk()
    claim = test_bill_reversals.granted(desk)
    first = test_bill_reversals.ask(desk, claim)
    assert claim.settlement.reversed_on is None
    outcomes = held_up(
        monkeypatch,
        (bill_reversals, "undoing"),
        lambda: approved(first.case, desk.supervisor),
        lambda: test_bill_reversals.ask(desk, claim).case.state,
    )
    assert outcomes == ["duplicate", "granted"]
    assert BillReversal.objects.count() == 1


@pytest.mark.parametrize("turn", TURNS)
@pytest.mark.parametrize("verb", ["approve", "refuse"])
def test_two_decide_one_bill(verb, turn) -> None:
    desk = test_claims.Desk()
    case, other = desk.submit().case, make_staff("supervisor", region=desk.region)

    def decide(verb: str, by) -> str:
        when = test_claims.at(hour=15)
        return cases.decide(case=case, verb=verb, by=by, at=when, note="发票不清", version=case.version).state

    outcomes = at_once(partial(decide, "approve", desk.supervisor), partial(decide, verb, other))
    assert outcomes in (["granted", "stale"], ["refused", "stale"])
    granted = "granted" in outcomes
    assert Settlement.objects.count() == Reimbursement.objects.count() == int(granted)
    assert faults(test_claims.LAST) == []


def test_two_decide_one_application_to_share() -> None:
    people = make_people()
    make_rules(people.region, review="window", verification_age=100)
    application = sharing.apply(
        grantor=people.holder.member, beneficiary=people.spouse.member, relation="spouse", at=AT, by=people.clerk,
        commitment=commitment_on(AT.date()), channel="window",
    )  # fmt: skip
    second = make_staff("supervisor", region=people.region)

    def decide(verb: str, by) -> str:
        return cases.decide(case=application.case, verb=verb, by=by, at=AT, note="关系不明").state

    both = partial(decide, "approve", people.supervisor), partial(decide, "refuse", second)
    outcomes = at_once(*both)
    assert outcomes in (["granted", "stale"], ["refused", "stale"])
    assert SharingGrant.objects.exists() is ("granted" in outcomes)


# Sharing and bills


@pytest.mark.parametrize("turn", TURNS)
def test_a_limit_is_lowered_while_a_bill_uses_it(turn) -> None:
    scene = make_scene(father_current="0.00", father_historical="0.00")
    outcomes = at_once(
        lambda: f"bill {settled(scene, scene.father.member, f'limit-{turn}').shared}",
        lambda: f"limit {grants.adjust(grant=scene.grant, by=None, at=clock.now(), limit=yuan('30.00')).limit}",
    )
    assert outcomes in (["bill 30.00", "limit 30.00"], ["bill 80.00", "limit 30.00"])
    rest = {"bill 30.00": ZERO, "bill 80.00": ZERO}[outcomes[0]]
    assert settled(scene, scene.father.member, f"after-{turn}").shared == rest
    assert faults(scene.on) == []


@pytest.mark.parametrize("turn", TURNS)
def test_unbound_while_a_bill_is_settled(turn) -> None:
    scene = make_scene(father_current="0.00", father_historical="0.00")
    make_rules(scene.region)
    outcomes = at_once(
        lambda: f"bill {settled(scene, scene.father.member, f'unbound-{turn}').shared}",
        lambda: f"ends {grants.unbind(grant=scene.grant, by=scene.daughter, at=clock.now()).ends_on}",
    )
    assert outcomes in ([f"bill {shared}", f"ends {scene.on}"] for shared in ("0.00", "80.00"))
    assert settled(scene, scene.father.member, f"after-{turn}").shared == 0
    assert faults(scene.on) == []


# Premiums


@pytest.mark.parametrize("turn", TURNS)
def test_a_premium_is_given_back_while_the_month_is_collected(turn) -> None:
    """Ordered, then paid otherwise: whichever comes first, it is paid once or not at all, and the order ends."""
    scene = make_scene(code=BEIJING, on=datetime.date(2026, 11, 20), current="0.00", historical="500.00")
    child = make_member("方小禾", datetime.date(2016, 4, 4), region=scene.region, insurance="resident")
    share(scene.daughter.member, child, "child", scene.region, scene.on)
    order(scene, child)
    paid = premiums.pay(payer=scene.daughter.member, insured=child, premium=due(), on=scene.on, key="otherwise")
    outcomes = at_once(
        lambda: premiums.collect(at=moment(LAST, 20)),
        lambda: f"back {premiums.refund(payment=PremiumPayment.objects.get(pk=paid.pk), on=LAST).refunded_on}",
    )
    assert outcomes in (["(0, 0)", f"back {LAST}"], ["(1, 0)", f"back {LAST}"])
    stands = PremiumPayment.objects.filter(refunded_on=None).count()
    assert stands == int(outcomes[0] == "(1, 0)")
    assert PersonalAccount.objects.get(pk=scene.account.pk).historical == yuan("500.00") - 400 * stands
    assert faults(LAST) == []


# Wallets


def with_wallets(scene) -> None:
    for one in (scene.father, scene.daughter):
        wallet.open_wallet(member=one.member, by=None, at=at(scene.on, 12))


@pytest.mark.parametrize("turn", TURNS)
def test_a_transfer_is_accepted_while_the_wallet_is_inherited(turn) -> None:
    """It is the heirs', or it goes back to its sender; the wallet of the dead keeps nothing."""
    desk = Desk(make_scene(father_historical="500.00"))
    scene = desk.scene
    with_wallets(scene)
    for rule in scene.region.data["withdrawal"]:
        rule["blocks"] = [what for what in rule["blocks"] if what != "transfer"]
    scene.region.save()
    noon = at(scene.on, 12)
    sent = wallet.transfer(
        sender=scene.father.member, receiver=scene.daughter.member, amount=yuan("100.00"), at=noon, key="race"
    )
    before = PersonalAccount.objects.get(pk=scene.account.pk)
    application = desk.submit("inheritance", "died", heirs(desk, "60", "40"))
    outcomes = at_once(
        lambda: wallet.accept(transfer=sent, at=noon).state,
        lambda: f"inheritance {desk.grant(application).case.state}",
    )
    assert outcomes in (["accepted", "inheritance granted"], ["closed", "inheritance granted"])
    came = yuan("100.00") if "accepted" in outcomes else ZERO
    assert Wallet.objects.get(member=scene.daughter.member).balance == 0
    taken_back = sum(Clawback.objects.values_list("amount", flat=True))
    assert sum(amounts()) == before.current + before.historical - taken_back + came
    assert faults(scene.on) == []


@pytest.mark.parametrize("turn", TURNS)
def test_a_transfer_is_accepted_while_the_wallet_is_inherited_alone(turn) -> None:
    """Of a resident nothing else is locked: the wallet itself parts the two."""
    desk = Desk(make_scene(father_historical="500.00"))
    scene, noon = desk.scene, at(desk.scene.on, 12)
    resident = make_member("沈某安", region=scene.region, insurance="resident")
    with_wallets(scene)
    purse = wallet.open_wallet(member=resident, by=None, at=noon)
    for rule in scene.region.data["withdrawal"]:
        rule["blocks"] = [what for what in rule["blocks"] if what != "transfer"]
    scene.region.save()

    def send(amount: str):
        return wallet.transfer(
            sender=scene.father.member, receiver=resident, amount=yuan(amount), at=noon, key=amount, source="account"
        )

    wallet.accept(transfer=send("40.00"), at=noon)
    sent = send("100.00")
    application = desk.submit("inheritance", "died", heirs(desk, "60", "40"), account=purse)
    outcomes = at_once(
        lambda: wallet.accept(transfer=sent, at=noon).state,
        lambda: f"inheritance {desk.grant(application).case.state}",
    )
    assert outcomes in (["accepted", "inheritance granted"], ["closed", "inheritance granted"])
    assert sum(amounts()) == yuan("140.00" if "accepted" in outcomes else "40.00")
    assert Wallet.objects.get(member=resident).balance == 0
    assert faults(scene.on) == []


def test_two_clerks_apply_for_one_wallet() -> None:
    desk = Desk(make_scene(father_historical="500.00"))
    scene, noon = desk.scene, at(desk.scene.on, 12)
    resident = make_member("沈某安", region=scene.region, insurance="resident")
    with_wallets(scene)
    purse = wallet.open_wallet(member=resident, by=None, at=noon)
    gift = wallet.transfer(sender=scene.father.member, receiver=resident, amount=yuan("9.00"), at=noon, key="gift")
    wallet.accept(transfer=gift, at=noon)
    asked = heirs(desk, "100")
    assert twice(lambda: desk.draft("inheritance", "died", asked, account=purse).case.state) == [
        "closing_applied",
        "draft",
    ]


def test_accepted_too_late_while_a_bill_that_both_paid_is_undone(monkeypatch) -> None:
    """Undoing brings the transfer back under the sender's account and then wants the wallet: accepting holds it no more."""
    scene = make_scene(on=datetime.date(2026, 5, 20), current="0.00", historical="900.00",
                       father_current="0.00", father_historical="0.00")  # fmt: skip
    with_wallets(scene)
    daughter, father = scene.daughter.member, scene.father.member
    noon, next_day = at(scene.on, 12), scene.on + DAY
    gift = wallet.transfer(sender=daughter, receiver=father, amount=yuan("30.00"), at=noon, key="gift")
    wallet.accept(transfer=gift, at=noon)
    SharingGrant.objects.update(limit=yuan("50.00"))
    both = settled(scene, father, "both")
    assert (both.shared, both.wallet) == (yuan("50.00"), yuan("30.00"))
    late = wallet.transfer(sender=daughter, receiver=father, amount=yuan("20.00"), at=noon, key="late")
    with clock.standing(at(next_day, 7)):
        outcomes = held_up(
            monkeypatch,
            (care, "_back"),
            lambda: len(care.reverse(settlement=both, on=next_day, key="undone")),
            lambda: wallet.accept(transfer=late, at=at(next_day, 7)).state,
        )
    assert outcomes == ["1", "not_permitted"]
    assert Wallet.objects.get(member=father).balance == yuan("30.00")
    assert faults(next_day) == []


# What two people release


def test_a_file_of_contributions_is_released_once() -> None:
    region = region_of_file(BEIJING)
    member, _account = test_contributions.insured(region)
    file = test_contributions.read(region, test_contributions.line(member))
    releaser = make_staff("region_admin", region=region)
    day = at(test_contributions.DAY, 12)
    assert twice(lambda: contributions.release(file=file, by=releaser, at=day).state) == ["file_state", "running"]
    assert CreditRun.objects.filter(file=file).count() == 1


def test_a_file_of_contributions_is_released_or_taken_back() -> None:
    region = region_of_file(BEIJING)
    member, _account = test_contributions.insured(region)
    maker, releaser = (make_staff("region_admin", region=region) for _ in range(2))
    file = test_contributions.read(region, test_contributions.line(member), by=maker)
    day = at(test_contributions.DAY, 12)
    outcomes = at_once(
        lambda: contributions.release(file=file, by=releaser, at=day).state,
        lambda: contributions.withdraw(file=file, by=maker, at=day).state,
    )
    assert outcomes in (["file_state", "running"], ["file_state", "withdrawn"])


def test_a_catalogue_is_released_and_brought_in_once(region, maker, checker) -> None:
    on = clock.today() + DAY
    file = test_catalogue_files.upload(region, maker, test_catalogue_files.HEAD + test_catalogue_files.ROWS, on)
    assert twice(lambda: catalogue.release(file=file, by=checker).state) == ["file_state", "releasing"]
    assert twice(lambda: catalogue.bring_in(file_id=file.pk) is not None) == ["False", "True"]


def test_a_draft_of_rules_is_published_once(region, maker, checker) -> None:
    draft = test_drafts.drafted(region, maker)
    day = clock.today() + DAY
    assert twice(lambda: drafts.publish(draft=draft, valid_from=day, by=checker).valid_from) == [
        str(day),
        "draft_state",
    ]

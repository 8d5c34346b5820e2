"""Why a balance is what it is: each reason from the records, in order, and told."""

import datetime
from decimal import Decimal
from typing import Any

import pytest
from django.urls import reverse

from accounts import clock
from accounts.models import Enrolment, Region, User
from settlements.actions import clearing, credit_runs, crediting, premiums, wallet
from settlements.actions.leaving import leave
from settlements.models import Contribution, ContributionFile, Payout, PersonalAccount, PremiumPayment
from settlements.queries.why import why_balance
from settlements.queries.year import grant_use, year_on
from settlements.telling.why import TEXTS, tell
from tests.people import make_member, make_region, person
from tests.settlements.scene import Scene, bill, make_scene, open_with, region_of_file, share, undo
from tests.settlements.test_withdrawal import Desk
from tests.support.ledger import move
from tests.support.pages import log_in

pytestmark = pytest.mark.django_db
D = Decimal
HOUR = datetime.timedelta(hours=1)


@pytest.fixture
def scene() -> Scene:
    return make_scene()


def noon(on: datetime.date) -> datetime.datetime:
    return datetime.datetime.combine(on, datetime.time(12), datetime.timezone(8 * HOUR))


def params(user: User, at: datetime.datetime) -> dict[str, Any]:
    """Code -> facts; every code is told in words as well."""
    with clock.standing(at):
        assert tell(user, at, at.date())
        return {fact.code: fact.params for fact in why_balance(user, at, at.date())}


def codes(user: User, on: datetime.date | None = None) -> list[str]:
    at = clock.now() if on is None else datetime.datetime.combine(on, datetime.time(10), tzinfo=clock.now().tzinfo)
    return [fact.code for fact in why_balance(user, at, on or clock.today())]


@pytest.mark.parametrize(
    ("insurance", "code"), [(None, "uninsured"), ("resident", "resident"), ("employee", "no_account")]
)
def test_without_an_account(scene: Scene, insurance: str | None, code: str) -> None:
    who = person("钱某芬", datetime.date(1991, 9, 9), region=scene.region, insurance=insurance)
    assert codes(who) == [code]


def test_relatives_use_is_listed_with_amount_and_place(scene: Scene) -> None:
    settled = bill(scene)
    found = {fact.code: fact for fact in why_balance(scene.daughter, clock.now(), scene.on)}
    assert found["relatives"].params["amount"] == settled.shared > 0
    told = next(row for row in tell(scene.daughter, clock.now(), scene.on) if row["code"] == "relatives")
    assert scene.institution.name in told["lines"][0].small
    assert "own" in codes(scene.father) and "relatives" not in codes(scene.father)


def test_what_was_taken_back_has_not_been_used(scene: Scene) -> None:
    """The same sum as on the family's page, which counts standing bills."""
    undo(scene, bill(scene))
    settled = bill(scene)
    found = {fact.code: fact for fact in why_balance(scene.daughter, clock.now(), scene.on)}
    used = grant_use([scene.grant], {scene.region.pk: year_on(scene.region.pk, scene.on).number})
    assert found["relatives"].params["amount"] == settled.shared == used[scene.grant.pk] > 0


def test_money_sent_to_wallets_explains_the_balance_once(scene: Scene) -> None:
    noon = datetime.datetime.combine(scene.on, datetime.time(12), datetime.timezone(datetime.timedelta(hours=8)))
    for member in (scene.daughter.member, scene.father.member):
        wallet.open_wallet(member=member, by=None, at=noon)
    facts = {"sender": scene.daughter.member, "receiver": scene.father.member}
    sent = wallet.transfer(**facts, amount=D("900.00"), at=noon, key="a")
    told = {fact.code: fact.params.get("amount") for fact in why_balance(scene.daughter, noon, scene.on)}
    assert (told["pending"], told.get("wallet")) == (D("900.00"), None)
    wallet.accept(transfer=sent, at=noon)
    wallet.transfer(**facts, amount=D("50.00"), at=noon, key="b")
    told = {fact.code: fact.params.get("amount") for fact in why_balance(scene.daughter, noon, scene.on)}
    assert (told["pending"], told["wallet"]) == (D("50.00"), D("900.00"))
    # Back by its hour, before anybody has written it down.
    next_day = noon + datetime.timedelta(days=1)
    later = {fact.code: fact.params.get("amount") for fact in why_balance(scene.daughter, next_day, next_day.date())}
    assert "pending" not in later and later["wallet"] == D("900.00")


def test_a_transfer_of_the_old_year_that_comes_back_takes_nothing_off_those_of_the_new() -> None:
    last = datetime.date(2026, 6, 30)
    scene, evening = make_scene(on=last), noon(last) + 8 * HOUR
    facts = {"sender": scene.daughter.member, "receiver": scene.father.member}
    for member in facts.values():
        wallet.open_wallet(member=member, by=None, at=evening)
    with clock.standing(evening):
        wallet.transfer(**facts, amount=D("500.00"), at=evening, key="a")
    later = evening + 16 * HOUR
    with clock.standing(later):
        wallet.return_overdue(at=later)
        sent = wallet.transfer(**facts, amount=D("1000.00"), at=later, key="b")
        wallet.accept(transfer=sent, at=later)
        assert params(scene.daughter, later)["wallet"] == {"amount": D("1000.00")}


def test_a_premium_of_the_old_year_given_back_takes_nothing_off_those_of_the_new() -> None:
    last = datetime.date(2025, 12, 30)
    scene = make_scene(on=last, code="330100")
    child = make_member("沈小禾", datetime.date(2016, 4, 4), region=scene.region, insurance="resident")
    share(scene.daughter.member, child, "child", scene.region, last - datetime.timedelta(days=9))

    def pay(amount: str, year: int, on: datetime.date) -> PremiumPayment:
        due = premiums.Premium(amount=D(amount), year=year, benefit_from=datetime.date(year, 1, 1))
        return premiums.pay(payer=scene.daughter.member, insured=child, premium=due, on=on, key=f"k{year}")

    later = noon(last) + datetime.timedelta(days=9)
    with clock.standing(noon(last)):
        old = pay("400.00", 2027, last)
    with clock.standing(later):
        pay("600.00", 2028, later.date())
        premiums.refund(payment=old, on=later.date())
        assert params(scene.daughter, later)["premiums"] == {"amount": D("600.00")}


def test_not_credited_yet_goes_away_with_the_credit(scene: Scene) -> None:
    assert "not_credited" in codes(scene.daughter)
    enrolment = scene.daughter.member.enrolments.get()
    crediting.credit(enrolment=enrolment, every="year", on=scene.on)
    assert "not_credited" not in codes(scene.daughter)


@pytest.mark.parametrize("status", ["suspended", "frozen"])
def test_a_stopped_or_frozen_insurance_comes_first(scene: Scene, status: str) -> None:
    scene.daughter.member.enrolments.update(status=status)
    bill(scene)
    assert codes(scene.daughter)[0] == status


def test_debt_clawback_and_rollover(scene: Scene) -> None:
    on = datetime.date(2026, 7, 3)
    old = make_scene(on=datetime.date(2026, 6, 20), fathers_name="沈某梁")
    move(old.account, datetime.date(2026, 6, 20), debt=D("120.00"), kind="clearing")
    assert "rolled" in codes(old.daughter, on)
    move(scene.account, scene.on, debt=D("99.00"), kind="clearing")
    assert "debt" in codes(scene.daughter)


def test_of_an_account_years_behind_only_this_year_s_rollover_is_told() -> None:
    old = make_scene(on=datetime.date(2022, 10, 1), current="1000.00", historical="500.00")
    told = {fact.code: fact.params for fact in why_balance(old.daughter, clock.now(), datetime.date(2022, 11, 1))}
    assert "rolled" not in told
    after_one = {fact.code: fact.params for fact in why_balance(old.daughter, clock.now(), datetime.date(2023, 8, 1))}
    assert after_one["rolled"] == {"amount": D("1000.00"), "from_on": datetime.date(2023, 7, 1)}
    # Nothing was credited in the years between: what moved in 2023 did not move again.
    assert "rolled" not in codes(old.daughter, datetime.date(2026, 8, 1))


def test_what_went_back_on_leaving_is_told(scene: Scene) -> None:
    enrolment = scene.daughter.member.enrolments.get()
    crediting.credit(enrolment=enrolment, every="year", on=scene.on)
    left = leave(enrolment=enrolment, why="stopped", on=scene.on, at=clock.now())
    assert left.clawback > 0
    assert "clawback" in codes(scene.daughter)


def test_what_several_months_gave_back_is_told_together() -> None:
    """In Beijing each month is a credit of its own; whoever left in March and is entered in May gives back two."""
    beijing = region_of_file("110000")
    who = person("钱某芬", datetime.date(1985, 9, 9), region=beijing)
    open_with(who.member, beijing, datetime.date(2026, 2, 1), "0.00", "50.00", False)
    for month in (3, 4, 5):
        crediting.credit(enrolment=who.member.enrolments.get(), every="month", on=datetime.date(2026, month, 5))
    entered, left_on = noon(datetime.date(2026, 5, 20)), datetime.date(2026, 3, 10)
    with clock.standing(entered):
        left = leave(enrolment=who.member.enrolments.get(), why="stopped", on=left_on, at=entered)
        assert params(who, entered)["clawback"] == {"amount": left.clawback, "left_on": left_on}
    assert left.clawback == D("480.00")


def test_what_went_back_is_what_was_there_and_a_leaving_of_the_old_year_is_told() -> None:
    """Left in June, entered in August: the new year's credit goes back, as far as it has not been used."""
    scene = make_scene(on=datetime.date(2026, 8, 1), current="0.00", historical="0.00")
    enrolment = scene.daughter.member.enrolments.get()
    crediting.credit(enrolment=enrolment, every="year", on=datetime.date(2026, 7, 1))
    bill(scene, scene.daughter, in_scope="2800.00")
    entered, left_on = noon(datetime.date(2026, 8, 5)), datetime.date(2026, 6, 10)
    with clock.standing(entered):
        left = leave(enrolment=enrolment, why="stopped", on=left_on, at=entered)
        told = params(scene.daughter, entered)
    assert told["clawback"] == {"amount": left.clawback, "left_on": left_on}
    assert left.debt and told["debt"] == {"amount": left.debt}


def test_what_a_debt_took_did_not_become_balance_of_earlier_years() -> None:
    scene = make_scene(on=datetime.date(2026, 6, 20), current="100.00", historical="500.00")
    move(scene.account, scene.on, debt=D("30.00"), kind="clearing")
    after = params(scene.daughter, noon(datetime.date(2026, 7, 3)))
    assert after["rolled"] == {"amount": D("70.00"), "from_on": datetime.date(2026, 7, 1)}
    assert after["repaid"] == {"amount": D("30.00")}


def test_a_clearing_that_took_money_is_told(region: Region, maker: User, checker: User) -> None:
    who = person("钱某芬", datetime.date(1985, 9, 9), region=region, base=D("10000.00"))
    open_with(who.member, region, datetime.date(2025, 6, 1), "0.00", "0.00", True)
    crediting.credit(enrolment=who.member.enrolments.get(), every="year", on=datetime.date(2025, 7, 1))
    at = noon(datetime.date(2026, 8, 3))
    file = ContributionFile.objects.create(
        region=region, month=datetime.date(2025, 7, 1), sha256="a", size=1, state="released", uploaded_at=at
    )
    months = clearing.months_of(clearing.years_of(region), 2025)
    Contribution.objects.bulk_create(
        Contribution(file=file, line=line, member=who.member, month=month, base=D("9000.00"))
        for line, month in enumerate(months)
    )
    with clock.standing(at):
        run = credit_runs.release(run=clearing.plan(region=region, year=2025, by=maker, at=at), by=checker, at=at)
        while isinstance(credit_runs.work_next(run_id=run.pk), credit_runs.Done):
            pass
        told = params(who, at)
    assert told["cleared"] == {"amount": D("240.00"), "year": "2025"} and "nothing" not in told


def test_what_was_paid_out_before_the_account_was_opened_again_is_told(region: Region) -> None:
    scene = make_scene(on=datetime.date(2026, 11, 20))
    back = scene.on + datetime.timedelta(days=3)
    with clock.standing(noon(scene.on)):
        Desk(scene).close()
    Enrolment.objects.filter(member=scene.daughter.member, status="closed").update(valid_to=back)
    enrolment = Enrolment.objects.create(
        member=scene.daughter.member, region=region, insurance="employee", base=D("9000.00"), valid_from=back
    )
    assert params(scene.daughter, noon(back)).keys() & {"insured_again", "paid_out"} == {"insured_again"}
    crediting.credit(enrolment=enrolment, every="year", on=back)
    assert params(scene.daughter, noon(back))["paid_out"] == {"amount": Payout.objects.get().amount}


def test_money_in_another_region_and_a_closed_account(scene: Scene) -> None:
    beijing = make_region("110000")
    open_with(scene.daughter.member, beijing, scene.on, "0.00", "77.00", False)
    assert codes(scene.daughter)[0] == "other_region"
    PersonalAccount.objects.filter(pk=scene.account.pk).update(status="late")
    assert codes(scene.daughter)[0] == "closed"


def test_every_code_is_told_in_words(scene: Scene) -> None:
    import inspect

    from settlements.queries import why

    written = {
        line.split('Fact("')[1].split('"')[0] for line in inspect.getsource(why).splitlines() if 'Fact("' in line
    }
    assert written | {"no_account", "relatives", "own"} <= {code.split(".")[0] for code in TEXTS}


def test_the_page_and_the_page_without_an_account(scene: Scene) -> None:
    bill(scene)
    page = log_in(scene.daughter).get(reverse("settlements:why"))
    assert page.status_code == 200 and scene.institution.name in page.content.decode()
    resident = person("钱某芳", datetime.date(1991, 9, 9), region=scene.region, insurance="resident")
    for name in ("settlements:account", "settlements:statement", "settlements:why", "home"):
        page = log_in(resident).get(reverse(name))
        assert page.status_code == 200 and page.context["whys"][0]["code"] == "resident"


def test_who_is_a_resident_now_still_has_what_is_left(scene: Scene) -> None:
    Enrolment.objects.filter(member=scene.daughter.member).update(insurance="resident")
    page = log_in(scene.daughter).get(reverse("settlements:why"))
    assert [why["code"] for why in page.context["whys"]][:1] == ["resident_left"]
    assert "您现在参加的是居民医保" in page.content.decode()
    for name in ("settlements:account", "settlements:statement", "settlements:estimate", "home"):
        assert log_in(scene.daughter).get(reverse(name)).status_code == 200


def test_an_account_of_somebody_else_is_never_told(scene: Scene) -> None:
    bill(scene)
    told = str(tell(scene.stranger, clock.now(), scene.on))
    assert scene.institution.name not in told and make_member("赵某").name not in told
    assert Enrolment.objects.filter(member=scene.stranger.member).exists()


def test_each_movement_leads_to_its_bill_and_the_page_to_a_year_ago(scene: Scene) -> None:
    settled = bill(scene)
    page = log_in(scene.daughter).get(reverse("settlements:why")).text
    assert reverse("settlements:bill", args=[settled.public_id]) in page
    year = reverse("settlements:statement") + "?period=twelve"
    assert year in page
    assert log_in(scene.daughter).get(year).context["told"].end == scene.on

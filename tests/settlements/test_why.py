"""Why a balance is what it is: each reason from the records, in order, and told."""

import datetime
from decimal import Decimal

import pytest
from django.urls import reverse

from accounts import clock
from accounts.models import Enrolment, User
from settlements.actions import crediting, wallet
from settlements.actions.leaving import leave
from settlements.models import PersonalAccount
from settlements.queries.why import why_balance
from settlements.queries.year import grant_use, year_on
from settlements.telling.why import TEXTS, tell
from tests.people import make_member, make_region, person
from tests.settlements.scene import Scene, bill, make_scene, open_with, undo
from tests.support.ledger import move
from tests.support.pages import log_in

pytestmark = pytest.mark.django_db
D = Decimal


@pytest.fixture
def scene() -> Scene:
    return make_scene()


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

"""The first page, for each kind of visitor."""

import datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils.html import strip_tags

from accounts import clock
from accounts.clock import now
from accounts.enums import EnrolmentStatus
from accounts.models import Enrolment, User
from family.actions import sharing
from settlements import ledger
from settlements.actions import wallet
from settlements.models import Usage
from tests.people import PASSWORD, make_staff, person
from tests.settlements.scene import BEIJING, bill, make_scene, open_with, region_of_file, share

pytestmark = pytest.mark.django_db
URL = reverse("home")


def words(response) -> str:
    return " ".join(strip_tags(response.content.decode()).split())


def test_visitors_get_the_entry_page(english):
    response = english.get(URL)
    assert response.status_code == 200
    for way in (reverse("account_login"), reverse("accounts:claim"), "tel:12393"):
        assert way in response.content.decode()


def test_balances_family_year_and_movements(english):
    scene = make_scene()
    settled = bill(scene)
    english.force_login(scene.daughter)
    response = english.get(URL)
    text = words(response)
    shown = ledger.balances([scene.account.pk], scene.on)[scene.account.pk]
    assert response.context["balance"] == shown
    assert f"{shown.historical:,.2f}" in text
    assert "沈*宁" in text
    assert "沈某宁" not in text
    [father] = response.context["given"]
    assert (father["term"], father["amount"]) == ("father", settled.shared)
    assert f"{1000 - settled.shared:,.2f} yuan left" in text
    assert [row["name"] for row in response.context["stages"]] == [
        "This year's balance first",
        "Outpatient deductible",
        "Shared with the pooled fund",
    ]


def test_the_stages_follow_the_counters(english):
    scene = make_scene(father_current="100.00", father_historical="5000.00")
    english.force_login(scene.father)
    before = english.get(URL).context["stages"]
    assert [row["here"] for row in before] == [True, False, False]
    bill(scene, in_scope="300.00", self_paid="0.00")
    account, deductible, rate = english.get(URL).context["stages"]
    assert (account["used"], account["whole"]) == (Decimal("100.00"), Decimal("100.00"))
    assert (deductible["used"], deductible["whole"]) == (Decimal("200.00"), Decimal("500.00"))
    assert deductible["here"]
    settled = bill(scene, in_scope="1300.00", self_paid="0.00")
    account, deductible, rate = english.get(URL).context["stages"]
    assert rate["here"]
    assert (rate["used"], rate["whole"]) == (settled.fund, Decimal("650000.00"))


def test_every_region_file_gives_stages(english):
    for code in (BEIJING, "210100", "410100"):
        region = region_of_file(code)
        user = person("王某", datetime.date(1980, 1, 1), region=region)
        open_with(user.member, region, datetime.date(2026, 1, 5), "0.00", "100.00", region.two_buckets)
        english.force_login(user)
        rows = english.get(URL).context["stages"]
        assert rows
        assert sum(row["here"] for row in rows) == 1
        assert all(row["small"] and "%(" not in row["small"] for row in rows)


def test_who_has_moved_reads_the_stages_of_his_new_region_in_its_year(english):
    """In March 2026 it is still the benefit year 2025 in Shanghai, where his account lies, and 2026 in Beijing."""
    on = datetime.date(2026, 3, 10)
    scene, beijing = make_scene(on=on), region_of_file(BEIJING)
    scene.daughter.member.enrolments.update(region=beijing)
    for year, amount in ((2025, "111.00"), (2026, "700.00")):
        Usage.objects.create(
            member=scene.daughter.member, benefit_year=year, counter="deductible", amount=Decimal(amount)
        )
    english.force_login(scene.daughter)
    with clock.standing(datetime.datetime.combine(on, datetime.time(12), ZoneInfo("Asia/Shanghai"))):
        stages = english.get(URL).context["stages"]
    assert stages[0]["used"] == Decimal("700.00")


def test_a_debt_stands_beside_the_balance(english):
    from settlements.actions.opening import open_account

    scene = make_scene()
    user = person("王某", datetime.date(1980, 1, 1), region=scene.region)
    open_account(member=user.member, region_id="310000", on=scene.on, historical=Decimal("9.00"), debt=Decimal("35.00"))
    english.force_login(user)
    assert "35.00 yuan are owed" in words(english.get(URL))


def test_one_notice_and_the_invitation_first(english):
    scene = make_scene()
    spouse = person("方某", datetime.date(1984, 8, 2), sex="M", region=scene.region)
    sharing.bind(grantor=scene.daughter.member, beneficiary=spouse.member, relation="spouse", at=now())
    english.force_login(spouse)
    assert "wife 沈*宁 wants you to use" in words(english.get(URL))
    english.force_login(scene.daughter)
    assert "You invited husband 方*" in words(english.get(URL))


def test_several_invitations_are_all_told(english):
    scene = make_scene()
    daughter = person("沈某儿", datetime.date(2004, 8, 2), sex="F", region=scene.region)
    for parent in (scene.daughter, scene.father):
        relation = "child" if parent is scene.daughter else "grandchild"
        sharing.bind(grantor=parent.member, beneficiary=daughter.member, relation=relation, at=now())
    english.force_login(daughter)
    page = english.get(URL)
    assert "2 relatives want you to use their accounts" in words(page)
    assert page.context["notice"]["url"] == reverse("family:home")


def test_money_that_waits_in_the_wallet_is_told_before_an_invitation(english):
    scene = make_scene()
    spouse = person("方某", datetime.date(1984, 8, 2), sex="M", region=scene.region)
    noon = now().astimezone(ZoneInfo("Asia/Shanghai")).replace(hour=12)
    with clock.standing(noon):
        sharing.bind(grantor=scene.daughter.member, beneficiary=spouse.member, relation="spouse", at=noon)
        wallet.open_wallet(member=scene.daughter.member, by=None, at=noon)
        facts = {"sender": scene.daughter.member, "receiver": spouse.member, "amount": Decimal("50.00")}
        wallet.transfer(**facts, at=noon, key="w")
        english.force_login(spouse)
        assert "沈*宁 transferred 50.00 yuan to your wallet" in words(english.get(URL))


@pytest.mark.parametrize("status", [EnrolmentStatus.SUSPENDED, EnrolmentStatus.FROZEN])
def test_a_stopped_insurance_is_told(english, status):
    scene = make_scene()
    Enrolment.objects.filter(member=scene.daughter.member).update(status=status)
    english.force_login(scene.daughter)
    response = english.get(URL)
    assert response.context["notice"]["kind"] == "warn"
    assert "stages" not in response.context
    assert "used by relatives too" not in words(response)


def test_without_an_account_it_says_why(english):
    scene = make_scene()
    child = person("方小禾", datetime.date(2001, 1, 1), region=scene.region, insurance="resident")
    share(scene.daughter.member, child.member, "child", scene.region, scene.on)
    english.force_login(child)
    text = words(english.get(URL))
    assert "keeps no personal account" in text
    assert "Mother 沈*宁" in text
    # Nobody without an account stands in a stage that an account pays.
    english.force_login(person("周某英", datetime.date(1958, 3, 5), region=scene.region, insurance="employee"))
    assert "This year's balance first" not in [row["name"] for row in english.get(URL).context["stages"]]
    english.force_login(person("无某", datetime.date(1990, 1, 1), region=scene.region, insurance=None))
    assert "no insurance for you today" in words(english.get(URL))


def test_staff_go_to_their_desk(client):
    for role in ("clerk", "supervisor"):
        client.force_login(make_staff(role))
        assert client.get(URL).status_code == 302
        assert client.get(URL)["Location"] in (_address("counter:home"), reverse("admin:index"))
    for role in ("region_admin", "system_admin", "auditor"):
        client.force_login(make_staff(role))
        assert client.get(URL)["Location"] == reverse("admin:index")


def _address(name):
    from django.urls import NoReverseMatch

    try:
        return reverse(name)
    except NoReverseMatch:
        return None


def test_a_login_without_a_record_is_led_to_claim_one(client):
    client.force_login(User.objects.create_user(username="nobody", password=PASSWORD))
    page = client.get(URL).content.decode()
    assert reverse("accounts:claim") in page


def test_one_and_many_relatives_and_movements_take_the_same_queries(client):
    scene = make_scene(code=BEIJING, father_current="0.00", father_historical="0.00")
    bill(scene, in_scope="100.00", self_paid="0.00")
    client.force_login(scene.daughter)
    client.get(URL)
    counts = []
    for _ in range(2):
        with CaptureQueriesContext(connection) as queries:
            assert client.get(URL).status_code == 200
        counts.append(len(queries))
        for number in range(12):
            user = person(f"沈某{number}", datetime.date(1986, 1, 1), region=scene.region)
            share(scene.daughter.member, user.member, "sibling", scene.region, scene.on)
            bill(scene, user, in_scope="50.00", self_paid="0.00")
    assert len(client.get(URL).context["given"]) == 25
    assert counts[0] == counts[1]


def test_the_errands_lead_somewhere_with_and_without_an_account(english):
    scene = make_scene()
    alone = person("王某", datetime.date(1980, 1, 1), region=scene.region, insurance="resident")
    for user, first in ((scene.daughter, "family:bind"), (alone, "settlements:claim_new")):
        english.force_login(user)
        errands = [task.url for task in english.get(URL).context["tasks"]]
        assert errands[0] == reverse(first)
        assert reverse("settlements:claim_new") in errands
        assert len(errands) == 4
        assert [english.get(url).status_code for url in errands] == [200] * 4

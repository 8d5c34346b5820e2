"""Pages of premiums: whom, which group, check, receipt, giving back; closed windows with their days; the month's end."""

import datetime
from decimal import Decimal

import pytest
from bs4 import BeautifulSoup
from django.core.cache import cache
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts import clock, masks
from accounts.enums import IdentityLevel
from accounts.models import User
from settlements import ledger
from settlements.actions import premiums
from settlements.models import PremiumOrder, PremiumPayment
from tests.people import make_login, make_member
from tests.settlements.rollover.world import faults
from tests.settlements.scene import BEIJING, make_scene, share
from tests.support.pages import english, fields, log_in, text

pytestmark = pytest.mark.django_db
SHANGHAI = datetime.timezone(datetime.timedelta(hours=8))
ON = datetime.date(2025, 11, 20)
HOME = reverse("settlements:premiums")


def moment(day: datetime.date = ON, hour: int = 12) -> datetime.datetime:
    return datetime.datetime.combine(day, datetime.time(hour), SHANGHAI)


@pytest.fixture
def now():
    with clock.standing(moment()):
        yield moment()


def family(code="310000", on=ON, **more):
    scene = make_scene(code=code, on=on, **more)
    child = make_member("沈小禾", datetime.date(2016, 4, 4), region=scene.region, insurance="resident")
    share(scene.daughter.member, child, "child", scene.region, on - datetime.timedelta(days=9))
    return scene, child


def group_page(child):
    return reverse("settlements:premium_group", args=[child.public_id])


def test_from_the_list_to_the_receipt(now):
    scene, child = family()
    client = english(scene.daughter)
    page = text(client.get(HOME))
    assert "The premium for 2026 can be paid now" in page
    assert "From 7 November 2025 to 25 December 2025" in page
    assert "has no resident premium to pay" in page

    page = client.get(group_page(child))
    assert "Pupils, small children and students: 400.00" in text(page)
    assert "70 or older" not in text(page)
    check = client.get(group_page(child), {"group": "student"}, follow=True)
    assert "400.00 yuan" in text(check)
    assert "5,000.00 now, 4,600.00 afterwards" in text(check)
    assert PremiumPayment.objects.count() == 0

    # An amount that somebody adds by hand is not looked at.
    url = check.redirect_chain[-1][0]
    paid = client.post(url, fields(check) | {"amount": "1.00"}, follow=True)
    payment = PremiumPayment.objects.get()
    assert (payment.amount, payment.group, payment.transaction.by) == (Decimal("400.00"), "student", scene.daughter)
    assert payment.number in text(paid)
    assert "Paid. You can print this page as your receipt." in text(paid)
    assert ledger.balances([scene.account.pk], ON)[scene.account.pk].historical == Decimal("4600.00")
    assert faults(ON) == []

    # Sent again it leads to the same receipt.
    again = client.post(url, fields(check), follow=True)
    assert payment.number in text(again)
    assert PremiumPayment.objects.count() == 1
    assert "already" in text(client.get(group_page(child)))


def test_one_relative_and_four_cost_the_same_queries(now):
    scene, _child = family()
    client = english(scene.daughter)
    client.get(HOME)
    counts = []
    for name in ("沈一禾", "沈二禾", "沈三禾", ""):
        with CaptureQueriesContext(connection) as queries:
            people = client.get(HOME).context["people"]
        counts.append((sum("year" in person for person in people), len(queries)))
        if name:
            child = make_member(name, datetime.date(2016, 4, 4), region=scene.region, insurance="resident")
            share(scene.daughter.member, child, "child", scene.region, ON - datetime.timedelta(days=9))
    assert [people for people, _queries in counts] == [1, 2, 3, 4]
    assert len({queries for _people, queries in counts}) == 1, counts


def test_sent_with_no_group_chosen_it_says_so(now):
    scene, child = family()
    client = english(scene.daughter)
    assert client.get(group_page(child)).status_code == 200
    page = client.get(group_page(child), {"go": "1"})
    assert page.status_code == 422 and "group" in page.context["form"].errors


def test_the_tariff_of_another_group_cannot_be_had(now):
    scene, child = family()
    client = english(scene.daughter)
    url = reverse("settlements:premium_check", args=[child.public_id])
    page = client.get(group_page(child), {"group": "student"}, follow=True)
    refused = client.post(url, fields(page) | {"group": "aged_70"})
    assert refused.status_code == 422
    assert "does not fit the person's age" in text(refused)
    bad = client.get(group_page(child), {"group": "nobody"})
    assert bad.status_code == 422
    assert "Choose one of the groups shown" in text(bad)
    assert PremiumPayment.objects.count() == 0


def test_not_enough_money_is_said_before_anything_is_sent(now):
    scene, child = family(historical="399.99")
    client = english(scene.daughter)
    page = client.get(group_page(child), {"group": "student"}, follow=True)
    assert "It is paid whole or not at all" in text(page)
    assert not BeautifulSoup(page.content, "html.parser").select("main form button")
    url = page.redirect_chain[-1][0]
    refused = client.post(url, {"group": "student", "token": "a" * 24})
    assert refused.status_code == 422
    assert "The account can give 399.99 yuan" in text(refused)


@pytest.mark.parametrize(
    ("day", "told"),
    [
        ("2025-11-06", "The premium for 2026 can be paid from 7 November 2025 to 25 December 2025."),
        ("2027-02-01", "The premium for 2027 could be paid until 25 December 2026."),
    ],
)
def test_a_closed_window_is_told_with_its_days(day, told):
    on = datetime.date.fromisoformat(day)
    with clock.standing(moment(on)):
        scene, child = family(on=on)
        client = english(scene.daughter)
        assert told in text(client.get(HOME))
        assert told in text(client.get(group_page(child)))
        refused = client.get(reverse("settlements:premium_check", args=[child.public_id]), {"group": "student"})
        assert "The premium cannot be paid now" in text(refused)


def test_given_back_by_who_paid(now):
    scene, child = family()
    premium, _ = premiums.premium_of(child, "student", now)
    payment = premiums.pay(payer=scene.daughter.member, insured=child, premium=premium, on=ON, key="k")
    url = reverse("settlements:premium_refund", args=[payment.public_id])
    client = english(scene.daughter)
    page = client.get(url)
    assert "400.00 yuan go back to your account at once" in text(page)
    sent = fields(page)
    done = client.post(url, sent, follow=True)
    assert "Given back: the money is in your account again." in text(done)
    assert "given back on 20 November 2025" in text(done)
    # Sent again when nobody remembers the form any more, it says the same and moves nothing.
    cache.clear()
    assert "Given back: the money is in your account again." in text(client.post(url, sent, follow=True))
    assert client.get(url).status_code == 302
    # The holder of the account sees for whom, and comes to the receipt.
    movements = client.get(reverse("settlements:account"))
    who = f"{movements.context['lines'][0].line.premium.year}: Daughter {masks.mask_name(child.name)}"
    assert f"Premium for {who}" in text(movements)
    assert f"Premium for {who.replace(':', ' given back:')}" in text(movements)
    receipt = reverse("settlements:premium", args=[payment.public_id])
    assert movements.content.decode().count(f'href="{receipt}"') == 2
    assert faults(ON) == []


def test_the_insured_person_sees_the_receipt_but_cannot_have_it_given_back(now):
    scene, child = family()
    premium, _ = premiums.premium_of(child, "student", now)
    payment = premiums.pay(payer=scene.daughter.member, insured=child, premium=premium, on=ON, key="k")
    receipt = reverse("settlements:premium", args=[payment.public_id])
    theirs = english(make_login(child))
    assert payment.number in text(theirs.get(receipt))
    assert "for you" in text(theirs.get(HOME))
    assert "Have it given back" not in text(theirs.get(receipt))
    assert theirs.get(reverse("settlements:premium_refund", args=[payment.public_id])).status_code == 404
    assert english(scene.stranger).get(receipt).status_code == 404
    assert english(scene.stranger).get(group_page(child)).status_code == 404


def test_no_refund_once_the_benefits_have_begun(now):
    scene, child = family()
    premium, _ = premiums.premium_of(child, "student", now)
    payment = premiums.pay(payer=scene.daughter.member, insured=child, premium=premium, on=ON, key="k")
    with clock.standing(moment(datetime.date(2026, 1, 1))):
        client = english(scene.daughter)
        page = client.get(reverse("settlements:premium", args=[payment.public_id]))
        assert "can no longer be given back" in text(page)
        url = reverse("settlements:premium_refund", args=[payment.public_id])
        assert "have begun" in text(client.post(url, {"token": "b" * 24}, follow=True))
    payment.refresh_from_db()
    assert payment.refunded_on is None


def test_an_unproven_login_is_asked_first(now):
    scene, child = family()
    User.objects.filter(pk=scene.daughter.pk).update(identity_level=IdentityLevel.NONE)
    client = log_in(User.objects.get(pk=scene.daughter.pk))
    assert client.get(HOME).status_code == 200
    assert client.get(group_page(child)).url == reverse("accounts:prove_identity")


def test_where_the_office_debits_at_the_months_end_it_is_ordered_and_can_be_taken_back():
    on = datetime.date(2025, 12, 3)
    with clock.standing(moment(on)):
        scene, child = family(code=BEIJING, on=on)
        client = english(scene.daughter)
        page = client.get(group_page(child), {"group": "student"}, follow=True)
        assert "On 31 December 2025 the office debits the account" in text(page)
        home = client.post(page.redirect_chain[-1][0], fields(page), follow=True)
        assert "On 31 December 2025 the premium is debited" in text(home)
        assert "For 2026, debited on 31 December 2025" in text(home)
        assert "Ordered" in text(home) and group_page(child) not in home.text
        order = PremiumOrder.objects.get()
        assert (order.amount, PremiumPayment.objects.count()) == (Decimal("435.00"), 0)
        url = reverse("settlements:premium_withdraw", args=[order.public_id])
        assert english(scene.father).get(url).status_code == 404
        done = client.post(url, fields(client.get(url)), follow=True)
        assert "Taken back. Nothing will be debited for it." in text(done)
        order.refresh_from_db()
        assert order.state == "withdrawn"


def test_what_could_not_be_debited_stands_on_the_page_until_it_is_ordered_anew():
    on = datetime.date(2025, 12, 3)
    with clock.standing(moment(on)):
        scene, child = family(code=BEIJING, on=on, current="0.00", historical="20.00")
        client = english(scene.daughter)
        home = client.get(group_page(child), {"group": "student"}, follow=True)
        assert "Could not be debited" not in text(client.post(home.redirect_chain[-1][0], fields(home), follow=True))
    last = datetime.date(2025, 12, 31)
    assert premiums.collect(at=moment(last, 20)) == (0, 1)
    with clock.standing(moment(datetime.date(2026, 1, 5))):
        client = english(scene.daughter)
        page = text(client.get(HOME))
        assert "Could not be debited" in page
        assert "For 2026, tried on 31 December 2025 · The account held too little on that day." in page
        assert "Pay it there or here, not at both" in page
        home = client.get(group_page(child), {"group": "student"}, follow=True)
        assert "Could not be debited" not in text(client.post(home.redirect_chain[-1][0], fields(home), follow=True))


def test_chinese_words(now):
    scene, child = family()
    client = log_in(scene.daughter)
    page = text(client.get(HOME))
    assert "现在可以缴纳 2026 年度保费" in page
    assert "共济" not in page
    assert text(client.get(group_page(child))).count("中小学生、婴幼儿和大学生") == 1

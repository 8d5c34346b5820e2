"""One settled bill: the patient sees all of it, the relative who paid only his leg, anybody else nothing."""

import datetime
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils.html import strip_tags

from settlements.actions import care
from settlements.telling.explaining import Explanation
from tests.people import make_staff, person
from tests.settlements.scene import BEIJING, SHANGHAI, bill, make_scene, open_with, share, undo
from tests.support.pages import log_in

pytestmark = pytest.mark.django_db


def words(response):
    """What a reader sees of a page."""
    return strip_tags(response.content.decode())


def url(settlement):
    return reverse("settlements:bill", args=[settlement.public_id])


def test_the_patient_sees_who_paid_and_why(client):
    scene = make_scene()
    settled = bill(scene)
    client.force_login(scene.father)
    page = words(client.get(url(settled)))
    for amount in (settled.fund, settled.own_current, settled.own_historical, settled.shared, settled.cash):
        assert f"{amount:,.2f}" in page
    assert "浦江中心医院" in page
    assert "沈某梁" not in page  # names are masked
    assert "沈某宁" not in page


def test_a_bill_has_a_number_that_can_be_told_and_found(client):
    scene = make_scene()
    settled, other = bill(scene), bill(scene)
    client.force_login(scene.father)
    page = words(client.get(url(settled)))
    assert settled.number in page and str(settled.public_id) not in page
    assert settled.number == str(settled.public_id)[:8].upper()[:4] + "-" + str(settled.public_id)[4:8].upper()
    desk = log_in(make_staff("region_admin", region=scene.region))
    listed = reverse("admin:settlements_settlement_changelist")
    for told in (settled.number, settled.number.lower().replace("-", ""), str(settled.public_id)):
        page = words(desk.get(listed, {"q": told}))
        assert settled.number in page and other.number not in page
    assert settled.number not in words(desk.get(listed, {"q": "沈某梁"}))


def test_a_rule_is_told_without_the_key_of_its_source(client):
    scene = make_scene()
    settled = bill(scene)
    keys = {key for step in settled.steps for key in step["params"].get("source", "").split(", ") if key}
    assert keys
    client.force_login(scene.father)
    response = client.get(url(settled))
    assert any(step.get("rule") for step in response.context["told"].steps)
    assert not [key for key in keys if key in words(response)]


def test_the_steps_and_the_table_add_up_to_the_bill(client):
    scene = make_scene()
    settled = bill(scene, pre_self_pay="20.00")
    client.force_login(scene.father)
    told = client.get(url(settled)).context["told"]
    cross = told.cross
    assert cross["total"] == settled.total
    assert sum(cross["sums"]) == settled.total
    for row in cross["steps"]:
        assert sum(cell or 0 for cell in row["cells"]) == row["amount"]
    assert sum(part["amount"] for part in told.payers) == settled.total


def test_the_relative_who_paid_sees_only_his_leg(client):
    scene = make_scene()
    settled = bill(scene)
    client.force_login(scene.daughter)
    response = client.get(url(settled))
    page = words(response)
    assert response.status_code == 200
    assert f"{settled.shared:,.2f}" in page
    assert "浦江中心医院" in page
    for hidden in (settled.fund, settled.own_historical, settled.own_current, settled.total):
        assert f"{hidden:,.2f}" not in page
    assert "told" not in response.context
    assert settled.get_kind_display() not in page
    assert settled.number in page, "what to tell the window, if he thinks it wrong"


@pytest.mark.parametrize(("region", "source"), [(SHANGHAI, "从您的历年余额付"), (BEIJING, "从您的账户付")])
def test_the_relative_reads_of_the_balance_his_region_keeps(client, region: str, source: str):
    scene = make_scene(code=region)
    settled = bill(scene)
    client.force_login(scene.daughter)
    assert source in words(client.get(url(settled)))


def test_a_foreign_bill_is_as_absent_as_none(client):
    scene = make_scene()
    settled = bill(scene)
    client.force_login(scene.stranger)
    foreign, absent = client.get(url(settled)), client.get(reverse("settlements:bill", args=[uuid4()]))
    assert foreign.status_code == absent.status_code == 404
    assert words(foreign) == words(absent)


def test_a_grantor_whose_account_did_not_pay_sees_nothing(client):
    scene = make_scene()
    small = bill(scene, in_scope="10.00", self_paid="0.00")
    assert small.shared == 0
    client.force_login(scene.daughter)
    assert client.get(url(small)).status_code == 404


def test_staff_and_visitors_have_no_citizens_pages(client):
    scene = make_scene()
    settled = bill(scene)
    assert client.get(url(settled)).status_code == 302
    client.force_login(make_staff("clerk", region=scene.region))
    assert client.get(url(settled)).status_code == 404


def test_a_reversed_bill_says_both_days(client):
    day = datetime.date(2026, 3, 12)
    scene = make_scene(on=day)
    settled = undo(scene, bill(scene), on=day + datetime.timedelta(days=6))
    client.force_login(scene.father)
    client.cookies["django_language"] = "en"
    page = client.get(url(settled)).content.decode()
    assert "12 March 2026" in page
    assert "18 March 2026" in page


def test_a_quote_is_explained_by_the_same_words():
    scene = make_scene()
    quote = care.quote(
        patient=scene.father.member,
        institution=scene.institution,
        bill=care.Bill(kind="outpatient", level="tertiary", in_scope=bill(scene).in_scope),
        on=scene.on,
    )
    told = Explanation(quote, {})
    assert told.cross["total"] == quote.total


@pytest.mark.parametrize(("region", "has_two"), [(SHANGHAI, True), (BEIJING, False)])
def test_the_patient_reads_of_the_balances_his_region_keeps(client, region: str, has_two: bool):
    scene = make_scene(code=region)
    settled = bill(scene)
    client.force_login(scene.father)
    page = words(client.get(url(settled)))
    assert settled.own_historical and ("您的历年账户" in page) is has_two
    assert ("您自己的账户" in page) is not has_two


def test_the_page_takes_the_same_number_of_queries_for_one_payer_and_for_many(client):
    few, many = make_scene(code=BEIJING), make_scene(code=BEIJING, father_historical="1.00")
    for number in range(8):
        sibling = person(f"沈某{number}", datetime.date(1986, 1, 1), region=many.region)
        open_with(sibling.member, many.region, many.on, "0.00", "30.00", False)
        share(sibling.member, many.father.member, "parent", many.region, many.on, limit="20.00")
    counts = []
    for scene, amount in ((few, "2500.00"), (many, "2900.00")):
        settled = bill(scene, in_scope=amount)
        client.force_login(scene.father)
        client.get(url(settled))
        with CaptureQueriesContext(connection) as queries:
            assert client.get(url(settled)).status_code == 200
        counts.append((settled.payers.count(), len(queries)))
    assert counts[0][0] < counts[1][0]
    assert counts[0][1] == counts[1][1]

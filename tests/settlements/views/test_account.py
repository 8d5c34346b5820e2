"""The account page: balances by the ledger's one window, movements in sentences, filters, pages."""

import datetime
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils.html import strip_tags

from settlements import ledger
from settlements.models import Entry
from settlements.queries import member as read
from settlements.queries.statement import due_lines, month_ends
from tests.people import make_staff, person
from tests.settlements.scene import BEIJING, bill, make_scene, open_with, region_of_file, undo
from tests.support.pages import log_in

pytestmark = pytest.mark.django_db
URL = reverse("settlements:account")


def told(response) -> list[tuple[str, Decimal]]:
    return [(row.what, row.amount) for row in response.context["lines"]]


def test_balances_and_movements(english):
    scene = make_scene()
    settled = bill(scene)
    english.force_login(scene.daughter)
    response = english.get(URL)
    shown = ledger.balances([scene.account.pk], scene.on)[scene.account.pk]
    assert response.context["balance"] == shown
    assert told(response) == [
        ("Father: outpatient care", -settled.shared),
        ("Balance when the account was opened", Decimal("7604.00")),
    ]
    page = strip_tags(response.content.decode())
    assert "浦江中心医院" in page
    assert f"{shown.historical:,.2f}" in page


def test_one_pot_shows_one_figure(english):
    scene = make_scene(code=BEIJING)
    english.force_login(scene.daughter)
    page = english.get(URL).content.decode()
    assert "Balance of this year" not in strip_tags(page)
    assert "This year's" not in strip_tags(page).replace("&#x27;", "'"), "nor do the chart and its table know two"
    assert "See the figures" in page
    assert "7,604" in page


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("credit", ["Balance when the account was opened"]),
        ("care", ["Yourself: outpatient care"]),
        ("family", ["Father: outpatient care"]),
        ("reversal", ["Refund: Yourself, outpatient care"]),
        ("rollover", []),
        ("interest", []),
        ("other", []),
    ],
)
def test_each_kind_can_be_filtered(english, kind, expected):
    scene = make_scene(historical="7000.00")
    bill(scene)
    undo(scene, bill(scene, scene.daughter, in_scope="100.00", self_paid="0.00"))
    english.force_login(scene.daughter)
    response = english.get(URL, {"kind": kind})
    assert response.status_code == 200
    assert [what for what, _amount in told(response)] == expected


def test_a_person_and_a_period_can_be_chosen(english):
    scene = make_scene()
    bill(scene)
    bill(scene, scene.daughter, in_scope="100.00", self_paid="0.00")
    english.force_login(scene.daughter)
    fathers = english.get(URL, {"person": str(scene.father.member.public_id)})
    assert [what for what, _ in told(fathers)] == ["Father: outpatient care"]
    assert [what for what, _ in told(english.get(URL, {"person": "self"}))] == ["Yourself: outpatient care"]
    assert len(told(english.get(URL, {"period": "month"}))) == 2  # opened forty days ago


def test_a_choice_that_does_not_exist_is_told(english):
    scene = make_scene()
    english.force_login(scene.daughter)
    for query in ({"kind": "everything"}, {"person": str(scene.stranger.member.public_id)}, {"period": "x"}):
        response = english.get(URL, query)
        assert response.context["form"].errors or "person" not in response.context["form"].fields


def test_the_part_is_the_same_alone_and_in_the_page(english):
    scene = make_scene()
    bill(scene)
    english.force_login(scene.daughter)
    part = english.get(URL, {"kind": "family"}, headers={"HX-Request": "true"}).content.decode()
    page = english.get(URL, {"kind": "family"}).content.decode()
    rows = part[part.index('<ul class="portal-rows">') : part.rindex("</ul>")]
    assert rows in page
    assert "<html" not in part


def test_one_and_thirty_movements_take_the_same_queries(client):
    scene = make_scene(father_current="0.00", father_historical="0.00")
    bill(scene, in_scope="10.00", self_paid="0.00")
    bill(scene, scene.daughter, in_scope="10.00", self_paid="0.00")
    client.force_login(scene.daughter)
    client.get(URL)
    counts = []
    for _ in range(2):
        with CaptureQueriesContext(connection) as queries:
            assert client.get(URL).status_code == 200
        counts.append(len(queries))
        for _more in range(14):
            bill(scene, in_scope="1.00", self_paid="0.00")
            bill(scene, scene.daughter, in_scope="1.00", self_paid="0.00")
    assert Entry.objects.filter(account=scene.account).count() > 30
    assert counts[0] == counts[1]


def test_pages(client):
    scene = make_scene()
    for _ in range(25):
        bill(scene, scene.daughter, in_scope="1.00", self_paid="0.00")
    client.force_login(scene.daughter)
    first, second = client.get(URL), client.get(URL, {"page": 2})
    assert len(first.context["lines"]) == 20
    assert len(second.context["lines"]) == 6
    seen = {row.line.settlement.pk for page in (first, second) for row in page.context["lines"] if row.line.settlement}
    assert len(seen) == 25


def test_without_an_account_the_reason_is_told(english):
    scene = make_scene()
    resident = person("方小禾", datetime.date(1990, 1, 1), region=scene.region, insurance="resident")
    uninsured = person("方大禾", datetime.date(1990, 1, 1), region=scene.region, insurance=None)
    not_yet = person("方中禾", datetime.date(1990, 1, 1), region=scene.region)
    reasons = {
        resident: "keeps no personal account",
        uninsured: "no insurance",
        not_yet: "No account has been opened yet",
    }
    for user, reason in reasons.items():
        english.force_login(user)
        assert reason in english.get(URL).content.decode()


def test_citizens_only(client):
    assert client.get(URL).status_code == 302
    scene = make_scene()
    client.force_login(make_staff("clerk", region=scene.region))
    assert client.get(URL).status_code == 404


def test_nobody_reads_another_account(client):
    scene = make_scene()
    assert list(read.movements(scene.stranger, scene.account)) == []
    assert list(read.accounts_visible_to(scene.stranger)) == []
    clerk = make_staff("clerk", region=scene.region)
    assert scene.account in read.accounts_visible_to(clerk)
    assert scene.account not in read.accounts_visible_to(make_staff("auditor"))


def test_a_rollover_that_is_due_stands_in_the_list_and_in_the_balance():
    before, after = datetime.date(2026, 6, 20), datetime.date(2026, 7, 2)
    scene = make_scene(on=before)
    due = due_lines(scene.account, after)
    shown = ledger.balances([scene.account.pk], after)[scene.account.pk]
    assert [line.kind for line in due] == ["rollover"]
    assert (due[-1].current_after, due[-1].historical_after) == (shown.current, shown.historical)
    assert due[0].current == -Decimal("2604.00")
    assert due_lines(scene.account, before) == []


def test_the_chart_ends_with_the_balance_of_today():
    scene = make_scene()
    bill(scene)
    months = month_ends(scene.account, scene.on)
    shown = ledger.balances([scene.account.pk], scene.on)[scene.account.pk]
    assert (months[-1][1].current, months[-1][1].historical) == (shown.current, shown.historical)
    assert months[-1][0] == scene.on
    assert all(day >= scene.account.opened_on for day, _held in months)


def test_who_has_moved_still_reads_what_relatives_used_of_the_account_he_left() -> None:
    scene = make_scene()
    settled = bill(scene)
    beijing = region_of_file(BEIJING)
    scene.daughter.member.enrolments.update(region=beijing)
    open_with(scene.daughter.member, beijing, scene.on, "0.00", "77.00", False)
    page = log_in(scene.daughter).get(reverse("family:grant", args=[scene.grant.public_id]))
    assert [line.amount for line in page.context["latest"]] == [-settled.shared]
    assert page.context["used"] == settled.shared > 0

"""The till: a pharmacy and a clinic played through the real gateway, whose view answers each call without a network."""

import datetime
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from bs4 import BeautifulSoup
from django.conf import settings
from django.test import Client as Browser
from django.urls import reverse

from accounts.clock import now, today
from family.models import SharingGrant
from gateway import client as gateway_client
from gateway.client import PATH, Answered
from gateway.models import GatewayMessage, Visit
from portal.till import calling
from settlements.models import Settlement
from tests.gateway.test_sequence import held
from tests.gateway.world import DRUG, LUXURY, PART_DRUG, Hospital, World, make_hospital, make_world
from tests.people import make_member
from tests.support.pages import fields
from tests.support.production import in_production

VISIT = "till:visit"


@pytest.fixture(autouse=True)
def _straight(monkeypatch) -> None:
    """The line goes to the gateway's own view by its address, in this test's transaction."""

    def send(self: gateway_client.Client, body: bytes, headers: dict[str, str]) -> Answered:
        answer = Browser().post(PATH, body, content_type=headers["Content-Type"], headers=headers)
        return Answered(answer.status_code, dict(answer.headers), answer.content)

    monkeypatch.setattr(gateway_client.Client, "send", send)
    monkeypatch.setattr(calling, "MOMENT", 0)


@dataclass
class Till:
    """A browser at the till of a place; `page` is the last one it got."""

    world: World
    place: Hospital
    browser: Browser = field(default_factory=Browser)
    page: Any = None

    def get(self, name: str = VISIT, *args: object, **query: object) -> BeautifulSoup:
        self.page = self.browser.get(reverse(name, args=args), query)
        return self.soup

    @property
    def soup(self) -> BeautifulSoup:
        return BeautifulSoup(self.page.content, "html.parser")

    def text(self) -> str:
        return self.soup.main.get_text(" ", strip=True)

    def choose(self) -> "Till":
        address = reverse("till:patients", args=[self.place.institution.code])
        self.page = self.browser.post(address, {"member": str(self.world.patient.public_id)}, follow=True)
        return self

    def press(self, do: str, **typed: str) -> int:
        """Sends the form of the page with a button; the status of what came first."""
        data = {name: value[0] if isinstance(value, list) else value for name, value in fields(self.page).items()}
        self.page = self.browser.post(reverse(VISIT), data | typed | {"do": do}, headers={"accept-language": "zh-hans"})
        status = self.page.status_code
        if status == 302:
            self.page = self.browser.get(self.page["Location"])
        return status

    def sent(self) -> list[str]:
        return [one["infno"] for one in self.browser.session["till"]["messages"]]

    def fill(self) -> "Till":
        """Ten packs of a drug, three of one that is paid in part, one of what nobody pays."""
        for code in (DRUG, PART_DRUG, LUXURY):
            assert self.press(f"add:{code}") == 302
        typed = {"line1-quantity": "10", "line1-price": "86", "line2-quantity": "3", "line2-price": "15.05"}
        assert self.press("update", **typed, **{"line3-quantity": "1", "line3-price": "99.90"}) == 302
        return self


@pytest.fixture
def world(db) -> World:
    return make_world()


@pytest.fixture
def pharmacy(world: World) -> Till:
    return Till(world, make_hospital(world.region, "示例药店", kind="pharmacy", level="primary"))


@pytest.fixture
def clinic(world: World) -> Till:
    return Till(world, world.hospital)


def test_a_pharmacy_from_the_choice_to_the_reversal(pharmacy: Till) -> None:
    world = pharmacy.world
    before = held(world)
    assert pharmacy.place.institution.name in pharmacy.get("till:start").main.get_text()
    people = pharmacy.get("till:patients", pharmacy.place.institution.code).main.get_text()
    assert "沈*宁" in people and "丈夫 方*" in people
    pharmacy.choose().fill()
    assert "1,005.05" in pharmacy.text()
    assert pharmacy.press("quote") == 302
    assert held(world) == before and not Visit.objects.exists()
    quoted = pharmacy.browser.session["till"]["quote"]["shares"]
    assert pharmacy.press("settle") == 302
    settled = Settlement.objects.get()
    kept = pharmacy.browser.session["till"]["settled"]["shares"]
    assert kept == quoted
    amounts = {
        "current": settled.own_current, "historical": settled.own_historical, "fund": settled.fund,
        "family": settled.shared, "cash": settled.cash,
    }  # fmt: skip
    assert kept == {payer: str(amount) for payer, amount in amounts.items() if amount}
    assert amounts["current"] == 100 and amounts["family"] > 0
    titles = [title.get_text() for title in pharmacy.soup.select("svg.portal-bar title")]
    assert titles and "家人的账户" in titles[0]
    slip = pharmacy.get("till:receipt").main.get_text(" ", strip=True)
    assert settled.total and f"{settled.total:,.2f}" in slip
    pharmacy.get()
    assert pharmacy.press("reverse") == 302
    assert held(world) == before
    assert "撤销小票" in pharmacy.get("till:receipt").main.get_text()
    assert pharmacy.sent() == ["1101", "2101", "2102", "2103"]
    assert set(GatewayMessage.objects.values_list("outcome", flat=True)) == {"ok"}


def test_a_clinic_registers_uploads_again_and_leaves_nothing_open(clinic: Till) -> None:
    before = held(clinic.world)
    clinic.choose().fill()
    assert clinic.press("quote") == 302
    assert clinic.sent() == ["1101", "2201", "2203", "2204", "2206"]
    # Another basket: its lines come in place of the first ones.
    assert clinic.press("quote", **{"line1-quantity": "2"}) == 302
    assert clinic.sent()[5:] == ["2205", "2204", "2206"]
    assert clinic.press("settle") == 302
    assert Settlement.objects.get().total == Decimal("317.05")
    assert clinic.press("reverse") == 302
    assert clinic.sent()[8:] == ["2207", "2208", "2205", "2202"]
    assert held(clinic.world) == before
    assert Visit.objects.get().ended == "cancelled"


@pytest.mark.django_db
@pytest.mark.parametrize("place", ["pharmacy", "clinic"])
def test_a_resident_without_an_account_is_paid_for_by_relatives(request, place: str) -> None:
    till: Till = request.getfixturevalue(place)
    world = till.world
    child = make_member("方某禾", datetime.date(2018, 5, 20), region=world.region, insurance="resident")
    SharingGrant.objects.create(
        grantor=world.husband,
        beneficiary=child,
        region=world.region,
        relation="child",
        bound_at=now(),
        starts_on=today(),
    )
    world.patient = child
    till.choose()
    assert "本人账户没有" in till.soup.select_one("dl.portal-till__patient").get_text("", strip=True)
    assert till.fill().press("quote") == (302 if place == "pharmacy" else 422)
    if place == "pharmacy":
        assert till.press("settle") == 302
        assert set(till.browser.session["till"]["settled"]["shares"]) == {"family", "cash"}
    else:
        # No region file holds a scheme for residents outside a pharmacy.
        assert "[not_covered]" in till.soup.select_one("section[aria-labelledby=h-pay] [role=alert]").get_text()
        assert till.sent() == ["1101", "2201", "2203", "2204", "2206"]


def test_beginning_again_takes_a_registration_back(clinic: Till) -> None:
    clinic.choose().fill().press("quote")
    assert clinic.press("new") == 302
    assert "till" not in clinic.browser.session
    assert Visit.objects.get().ended == "cancelled"
    assert list(GatewayMessage.objects.order_by("-pk").values_list("infno", flat=True)[:2]) == ["2202", "2205"]


@pytest.mark.parametrize(("flag", "family", "own"), [("1", True, True), ("2", True, False), ("0", False, False)])
def test_whose_account_may_pay_is_sent(pharmacy: Till, flag: str, family: bool, own: bool) -> None:
    pharmacy.choose().fill()
    assert pharmacy.press("quote", flag=flag) == 302
    shares = pharmacy.browser.session["till"]["quote"]["shares"]
    assert ("family" in shares, "current" in shares) == (family, own)


def test_what_a_page_shows_is_masked_and_the_file_runs_as_it_is(pharmacy: Till, tmp_path: Path) -> None:
    pharmacy.choose().fill().press("quote")
    pharmacy.press("settle")
    patient, secret = pharmacy.world.patient, pharmacy.place.secret
    numbers = range(1, len(pharmacy.sent()) + 1)
    for number in numbers:
        page = pharmacy.get(message=number)
        for hidden in (patient.id_number, patient.name, secret, patient.birth.isoformat()):
            assert hidden not in page.get_text()
        shown = page.select_one("#request").get_text()
        assert "x-tif-signature: " in shown and "x-tif-nonce: " in shown and '"infno": "' in shown
        assert '"infcode": 0' in page.select_one("#response").get_text()
        file = pharmacy.browser.get(reverse("till:command", args=[number]))
        text = file.content.decode()
        assert patient.id_number in text and secret in text and file["Content-Disposition"].startswith("attachment")
        script = tmp_path / f"{number}.sh"
        script.write_text(text)
        assert subprocess.run(["sh", "-n", str(script)], check=False).returncode == 0
    assert pharmacy.browser.get(reverse("till:command", args=[99])).status_code == 404


def test_the_same_message_once_more_gets_the_same_answer(pharmacy: Till) -> None:
    pharmacy.choose().fill().press("quote")
    pharmacy.press("settle")
    assert pharmacy.press("repeat:3") == 302
    third, fourth = pharmacy.browser.session["till"]["messages"][2:]
    assert fourth["answer"] == third["answer"] and fourth["headers"] != third["headers"]
    assert "逐字节相同" in pharmacy.text()
    assert Settlement.objects.count() == 1


def test_pressed_twice_it_is_settled_once(pharmacy: Till) -> None:
    pharmacy.choose().fill().press("quote")
    first = dict(pharmacy.browser.session["till"])
    page = pharmacy.page
    pharmacy.press("settle")
    # The second press left before the answer to the first came: its session is the old one.
    session = pharmacy.browser.session
    session["till"] = first
    session.save()
    pharmacy.page = page
    assert pharmacy.press("settle") == 302
    assert Settlement.objects.count() == 1


def test_what_was_not_quoted_is_not_settled(pharmacy: Till) -> None:
    pharmacy.choose().fill().press("quote")
    assert pharmacy.press("settle", **{"line1-quantity": "11"}) == 422
    assert "重新预结算" in pharmacy.soup.select_one("[role=alert]").get_text()
    assert not Settlement.objects.exists()
    assert pharmacy.press("settle") == 302 and not Settlement.objects.exists()


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ({"line1-quantity": ""}, "请填写数量"),
        ({"line1-quantity": "1.5"}, "整数"),
        ({"line1-quantity": "0"}, "至少填 1"),
        ({"line1-price": "0"}, "大于 0"),
        ({"line1-price": "1e9"}, "1200"),
        ({"flag": "9"}, "从列表中选择"),
    ],
)
def test_a_mistake_is_told_at_its_box(pharmacy: Till, typed: dict[str, str], told: str) -> None:
    pharmacy.choose().fill()
    sent = pharmacy.sent()
    assert pharmacy.press("quote", **typed) == 422
    (name,) = typed
    error = pharmacy.soup.select_one(f"#id_{name}_error")
    assert told in error.get_text()
    assert pharmacy.soup.select_one(".govuk-error-summary a")["href"].startswith(f"#id_{name}")
    assert pharmacy.sent() == sent


def test_the_basket_has_ends(pharmacy: Till) -> None:
    pharmacy.choose()
    assert pharmacy.press("quote") == 422
    assert "请先添加" in pharmacy.text()
    assert pharmacy.press("add:NOTHING") == 422
    for _line in range(20):
        assert pharmacy.press(f"add:{DRUG}") == 302
    assert pharmacy.press(f"add:{DRUG}") == 422
    assert pharmacy.press("remove:20") == 302
    assert len(pharmacy.browser.session["till"]["items"]) == 19


def test_a_search_keeps_what_was_typed(pharmacy: Till) -> None:
    pharmacy.choose().fill()
    assert pharmacy.press("search", q="XV99", **{"line1-quantity": "7"}) == 302
    assert [button["value"] for button in pharmacy.soup.select("button[value^=add]")] == [f"add:{LUXURY}"]
    assert pharmacy.soup.select_one("[name=line1-quantity]")["value"] == "7"
    pharmacy.press("search", q="没有的药")
    assert not pharmacy.soup.select("button[value^=add]") and "没有的药" in pharmacy.text()


def test_a_refusal_stands_at_its_place_in_the_readers_words(clinic: Till) -> None:
    clinic.choose().fill()
    clinic.world.patient.enrolments.update(valid_to="2021-01-01")
    assert clinic.press("quote") == 422
    alert = clinic.soup.select_one("section[aria-labelledby=h-patient] [role=alert]")
    assert "[not_insured]" in alert.get_text() and "参保" in alert.get_text()
    assert '"infcode": -1' in clinic.soup.select_one("#response").get_text()


def test_a_refusal_with_facts_is_told_in_english_too(clinic: Till) -> None:
    clinic.choose().fill().press("quote")
    Visit.objects.update(ended="expired", ended_at="2026-01-01T00:00:00Z")
    clinic.browser.cookies["django_language"] = "en"
    assert clinic.press("settle") == 422
    alert = clinic.soup.select_one("section[aria-labelledby=h-pay] [role=alert]").get_text()
    assert "was not settled within 30 days" in alert and "[visit_expired]" in alert


def test_a_patient_who_is_refused_is_told_before_the_till_opens(pharmacy: Till) -> None:
    pharmacy.world.patient.enrolments.all().delete()
    assert pharmacy.choose().page.status_code == 422
    assert "[person_unknown]" in pharmacy.soup.select_one("[role=alert]").get_text()
    assert '"infno": "1101"' in pharmacy.soup.select_one("#request").get_text()
    assert pharmacy.browser.get(reverse(VISIT)).status_code == 302


def answering(monkeypatch, how: Callable[..., Answered]) -> None:
    monkeypatch.setattr(gateway_client.Client, "send", how)


def test_a_gateway_that_cannot_be_reached_is_told_with_what_to_do(pharmacy: Till, monkeypatch) -> None:
    pharmacy.choose().fill().press("quote")
    with monkeypatch.context() as patch:

        def nobody(*_given: Any) -> Answered:
            raise ConnectionRefusedError(111, "Connection refused")

        answering(patch, nobody)
        assert pharmacy.press("settle") == 422
    alert = pharmacy.soup.select_one("[role=alert]").get_text()
    assert settings.TILL_URL in alert and "什么都没有发出" in alert and "TILL_URL" in alert
    assert pharmacy.press("settle") == 302
    assert Settlement.objects.count() == 1


def test_an_answer_that_was_lost_is_had_by_the_same_message(pharmacy: Till, monkeypatch) -> None:
    pharmacy.choose().fill().press("quote")
    send = gateway_client.Client.send
    with monkeypatch.context() as patch:

        def lost(*given: Any) -> Answered:
            send(*given)
            raise TimeoutError("timed out")

        answering(patch, lost)
        assert pharmacy.press("settle") == 422
    assert "办没办成还不知道" in pharmacy.text()
    # Until that is known nothing can be changed, and nothing else be sent.
    assert not pharmacy.soup.select("button[value=settle], button[value^=add], [name=line1-quantity]")
    pharmacy.press(f"add:{DRUG}")
    pharmacy.press("quote")
    assert len(pharmacy.browser.session["till"]["items"]) == 3 and pharmacy.sent()[-1] == "2102"
    assert pharmacy.press("again") == 302
    first, second = pharmacy.browser.session["till"]["messages"][-2:]
    assert first["msgid"] == second["msgid"] and first["lost"] and second["answer"]
    assert Settlement.objects.count() == 1
    assert pharmacy.soup.select("button[value=reverse]")


def test_the_page_of_a_proxy_is_no_answer(pharmacy: Till, monkeypatch) -> None:
    pharmacy.choose().fill()
    with monkeypatch.context() as patch:
        answering(patch, lambda *_given: Answered(502, {}, b"<h1>Bad gateway</h1>"))
        assert pharmacy.press("quote") == 422
    assert "HTTP 502" in pharmacy.soup.select_one("[role=alert]").get_text()
    assert "<h1>Bad gateway</h1>" in pharmacy.soup.select_one("#response").get_text()
    assert pharmacy.press("quote") == 302


def test_a_busy_gateway_is_asked_again_with_the_same_msgid(pharmacy: Till, monkeypatch) -> None:
    pharmacy.choose().fill().press("quote")
    send, turned_away = gateway_client.Client.send, iter([True, True])
    busy = '{"infcode": -1, "err_msg": "FSI-系统繁忙[busy]", "output": null}'.encode()

    def sometimes(*given: Any) -> Answered:
        return Answered(200, {}, busy) if next(turned_away, False) else send(*given)

    with monkeypatch.context() as patch:
        answering(patch, sometimes)
        assert pharmacy.press("settle") == 302
    assert len({one["msgid"] for one in pharmacy.browser.session["till"]["messages"][-3:]}) == 1
    assert Settlement.objects.count() == 1


def test_one_page_of_a_process_talks_at_a_time(pharmacy: Till) -> None:
    """Else every thread could wait for a call that none is left to answer."""
    pharmacy.choose().fill()
    sent = pharmacy.sent()
    with calling._line:
        assert pharmacy.press("quote") == 422
    assert "什么都没有发出" in pharmacy.soup.select_one("[role=alert]").get_text()
    assert pharmacy.sent() == sent
    assert pharmacy.press("quote") == 302


def test_there_is_no_till_of_a_place_without_a_key_of_the_demo(pharmacy: Till) -> None:
    place = pharmacy.place.institution
    place.gateway_keys.update(valid_until="2020-01-01T00:00:00Z", valid_from="2019-01-01T00:00:00Z")
    assert pharmacy.browser.get(reverse("till:patients", args=[place.code])).status_code == 404
    assert pharmacy.browser.get(reverse("till:patients", args=["H1"])).status_code == 404
    for name in (VISIT, "till:receipt"):
        assert pharmacy.browser.get(reverse(name))["Location"] == reverse("till:start")
    address = reverse("till:patients", args=[pharmacy.world.hospital.institution.code])
    for member in ("", "x", "00000000-0000-4000-8000-000000000000"):
        assert pharmacy.browser.post(address, {"member": member}).status_code == 404


def test_the_demo_page_leads_to_it(pharmacy: Till) -> None:
    page = pharmacy.get("accounts:demo")
    assert page.select_one(f"section[aria-labelledby=h-till] a[href='{reverse('till:start')}']")
    assert not page.select("section[aria-labelledby=h-till] code")


def test_production_has_no_till() -> None:
    """Nor anything else of the demo."""
    program = (
        "import django; django.setup(); from django.urls import Resolver404, resolve, reverse\n"
        "print(reverse('gateway:docs'))\n"
        "for path in ('/demo/', '/demo/till/', '/demo/till/visit/', '/demo/till/at/H31010100001/'):\n"
        "    try: print(resolve(path))\n"
        "    except Resolver404: print(404)\n"
    )
    done = in_production("-c", program)
    assert done.stdout.split() == ["/gateway/docs/", "404", "404", "404", "404"], done.stderr

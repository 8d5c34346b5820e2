"""The statement of a period: it agrees with the ledger, on the screen, on paper and as a table."""

import csv
import datetime
import io
from decimal import Decimal

import pytest
from django.core.cache import cache
from django.core.exceptions import PermissionDenied
from django.urls import reverse
from django.utils import translation
from pypdf import PdfReader

from accounts.clock import now, standing
from accounts.models import AuditEvent, Enrolment
from accounts.money import ZERO
from documents.models import IssuedDocument
from settlements import ledger
from settlements.actions import crediting, premiums, statements, wallet
from settlements.models import Wallet
from settlements.periods import presets
from settlements.queries.statement import Amounts, month_ends, statement
from settlements.queries.wallet import balance_of
from settlements.telling import movements
from tests.people import make_member, make_region, make_staff
from tests.settlements.scene import BEIJING, SHANGHAI, bill, make_scene, share, undo
from tests.support.pages import log_in

pytestmark = pytest.mark.django_db
URL, FILE = reverse("settlements:statement"), reverse("settlements:statement_file")


def busy(**more):
    scene = make_scene(**more)
    bill(scene)
    bill(scene, scene.daughter, in_scope="300.00")
    undo(scene, bill(scene, in_scope="200.00", self_paid="0.00"))
    return scene


def period(scene, days=60):
    return {"start": (scene.on - datetime.timedelta(days=days)).isoformat(), "end": scene.on.isoformat()}


def words(pdf: bytes) -> str:
    return "\n".join(page.extract_text() for page in PdfReader(io.BytesIO(pdf)).pages)


@pytest.mark.parametrize("code", ["310000", BEIJING])
def test_opening_and_lines_give_the_ledgers_balance(code):
    scene = busy(code=code)
    for back in (60, 40, 20, 0):
        told = statement(scene.daughter, scene.account, scene.on - datetime.timedelta(days=back), scene.on)
        shown = ledger.balances([scene.account.pk], scene.on)[scene.account.pk]
        assert (told.closing.current, told.closing.historical) == (shown.current, shown.historical)
        assert told.opening.total + sum((line.amount for line in told.lines), ZERO) == told.closing.total
        assert told.came_in + told.went_out == told.change == sum(told.by_kind.values(), ZERO)
        if told.lines:
            assert told.lines[-1].current_after == told.closing.current


def test_an_account_that_was_not_rolled_yet_is_told_as_rolled():
    scene = make_scene(on=datetime.date(2026, 6, 20))
    july = datetime.date(2026, 7, 15)
    shown = ledger.balances([scene.account.pk], july)[scene.account.pk]
    across = statement(scene.daughter, scene.account, datetime.date(2026, 5, 1), july)
    within = statement(scene.daughter, scene.account, datetime.date(2026, 7, 2), july)
    for told in (across, within):
        assert (told.closing.current, told.closing.historical) == (shown.current, shown.historical)
    assert [line.kind for line in across.lines] == ["opening", "rollover"]
    assert within.lines == []
    assert within.opening.historical == Decimal("7604.00")


@pytest.mark.parametrize(("sent_on", "year_end"), [("2026-05-20", False), ("2026-06-30", True)])
def test_a_transfer_that_is_back_and_not_written_yet_stands_wherever_the_balance_counts_it(sent_on, year_end):
    """Balances show it back from six o'clock on; so do list, statement, paper and chart, before and after it is written."""
    on = datetime.date.fromisoformat(sent_on)
    noon = datetime.datetime.combine(on, datetime.time(12), datetime.timezone(datetime.timedelta(hours=8)))
    scene, later = make_scene(on=on), noon + datetime.timedelta(days=1)
    user, account, day = scene.daughter, scene.account, later.date()
    for member in (user.member, scene.father.member):
        wallet.open_wallet(member=member, by=None, at=noon)
    with standing(noon):
        amount = Decimal("900.00")
        wallet.transfer(sender=user.member, receiver=scene.father.member, amount=amount, at=noon, key="a")
        assert statement(user, account, on, on).closing.historical == Decimal("4100.00")

    def told():
        account.refresh_from_db()
        shown = ledger.balances([account.pk], day)[account.pk]
        period = statement(user, account, on, day)
        page = log_in(user).get(reverse("settlements:account")).context
        assert period.closing == Amounts(shown.current, shown.historical) == month_ends(account, day)[-1][1]
        assert page["lines"][0].balance == shown.total
        filtered = log_in(user).get(reverse("settlements:account") + "?kind=other").context["lines"]
        assert [line.amount for line in filtered] == [amount, -amount]
        kinds = [(line.kind, line.on, line.historical) for line in period.lines]
        return kinds, statements.paper(period)["closing"], [line.what for line in page["lines"]]

    with standing(later):
        before = told()
        wallet.return_overdue(at=later)
        assert told() == before
    assert [kind for kind, *_ in before[0]] == ["wallet", *(["rollover"] if year_end else []), "wallet"]


def test_what_relatives_used_is_net_of_what_came_back():
    scene = busy()
    told = statement(scene.daughter, scene.account, scene.on, scene.on)
    [(who, relation, used)] = told.by_relative
    paid = sum((line.amount for line in told.lines if line.relation), ZERO)
    assert (who, relation, used) == (scene.father.member, "parent", -paid)


def test_what_went_and_came_back_is_named_in_the_sums_and_the_paper_tells_the_change():
    """A kind that comes to nothing has moved money all the same: without its line nobody can add up what came in."""
    scene = make_scene()
    day = datetime.datetime.combine(scene.on, datetime.time(12), datetime.timezone(datetime.timedelta(hours=8)))
    for member in (scene.daughter.member, scene.father.member):
        wallet.open_wallet(member=member, by=None, at=day)
    with standing(day):
        wallet.transfer(
            sender=scene.daughter.member, receiver=scene.father.member, amount=Decimal("900.00"), at=day, key="a"
        )
    later = day + datetime.timedelta(days=1)
    with standing(later):
        wallet.return_overdue(at=later)
        told = statement(scene.daughter, scene.account, scene.on, later.date())
    assert told.by_kind == {"wallet": ZERO}
    assert (told.came_in, told.went_out, told.change) == (Decimal("900.00"), Decimal("-900.00"), ZERO)
    [sums] = statements.paper(told)["sums"]
    assert sums["rows"] == [
        ["医保钱包转账", "0.00"],
        ["期末比期初", "0.00"],
        ["收入", "+900.00"],
        ["支出", "\N{MINUS SIGN}900.00"],
    ]


def test_a_rollover_that_only_moved_money_is_in_no_sum():
    scene = make_scene(on=datetime.date(2026, 6, 20))
    told = statement(scene.daughter, scene.account, datetime.date(2026, 6, 21), datetime.date(2026, 7, 15))
    assert [line.kind for line in told.lines] == ["rollover"]
    assert told.by_kind == {}


@pytest.mark.parametrize(("on", "start"), [("2026-11-22", "2025-11-22"), ("2028-02-29", "2027-02-28")])
def test_twelve_months_begin_on_the_same_day_of_last_year(on, start):
    make_scene()
    found = {preset.code: preset for preset in presets(SHANGHAI, datetime.date.fromisoformat(on))}["twelve"]
    assert (found.start.isoformat(), found.end.isoformat()) == (start, on)


def test_the_page_has_presets_and_dates(client):
    scene = busy()
    client.force_login(scene.daughter)
    for preset in ("month", "quarter", "twelve", "year"):
        response = client.get(URL, {"period": preset})
        assert response.status_code == 200
        assert response.context["told"].end == scene.on
    # Opened after the last benefit year: there is nothing to tell of it, and the page says so.
    assert client.get(URL, {"period": "last-year"}).status_code == 422
    chosen = client.get(URL, period(scene))
    assert [row.line for row in chosen.context["rows"]] == chosen.context["told"].lines
    assert client.get(URL).context["chosen"] == "quarter"


@pytest.mark.parametrize(
    ("start", "end", "field"),
    [
        ("2026-13-01", "2026-01-31", "start"),
        ("", "2026-01-31", "start"),
        ("2026-01-31", "", "end"),
        ("2999-01-01", "2999-01-31", "end"),
        ("2010-01-01", "2026-01-31", "start"),
        ("2026-02-01", "2026-01-31", "start"),
        ("2001-01-01", "2001-01-31", "end"),
    ],
)
def test_wrong_dates_are_told_at_the_field(client, start, end, field):
    scene = make_scene()
    client.force_login(scene.daughter)
    response = client.get(URL, {"start": start, "end": end})
    assert response.status_code == 422
    assert response.context["form"].errors[field]
    assert "told" not in response.context


def test_the_part_alone_is_the_part_of_the_page(client):
    scene = busy()
    client.force_login(scene.daughter)
    part = client.get(URL, {"period": "month"}, headers={"HX-Request": "true"}).content.decode()
    page = client.get(URL, {"period": "month"}).content.decode()
    table = part[part.index("<table") : part.index("</table>")]
    assert table in page
    assert "<html" not in part


def test_the_pdf_has_name_amounts_and_number(client):
    scene = busy()
    client.force_login(scene.daughter)
    response = client.post(FILE, period(scene) | {"as": "pdf"})
    assert response["Content-Type"] == "application/pdf"
    text = words(response.content)
    told = statement(scene.daughter, scene.account, scene.on - datetime.timedelta(days=60), scene.on)
    assert "个人账户对账单" in text
    assert "沈某宁" in text
    assert scene.daughter.member.id_number not in text
    for line in told.lines:
        assert f"{abs(line.amount):,.2f}" in text
    assert f"{told.closing.historical:,.2f}" in text
    document = IssuedDocument.objects.get()
    assert document.number[:4] in text
    root = PdfReader(io.BytesIO(response.content)).trailer["/Root"]
    assert root["/MarkInfo"]["/Marked"]
    assert AuditEvent.objects.filter(action="paper_issued", member_id=scene.daughter.member.pk).count() == 1


def test_a_rare_name_is_drawn_or_refused_and_never_a_box(client):
    drawn = make_scene(fathers_name="李𬱖")
    client.force_login(drawn.father)
    assert "李𬱖" in words(client.post(FILE, period(drawn) | {"as": "pdf"}).content)
    refused = make_scene(fathers_name="李\U00020bb7")
    client.force_login(refused.father)
    response = client.post(FILE, period(refused) | {"as": "pdf"}, follow=True)
    held = IssuedDocument.objects.get(sha256="")
    assert held.number[:4] in response.content.decode()
    assert AuditEvent.objects.filter(action="paper_held_back").exists()


def test_a_copy_says_that_it_is_one(client):
    scene = busy()
    client.force_login(scene.daughter)
    client.post(FILE, period(scene) | {"as": "pdf"})
    document = IssuedDocument.objects.get()
    response = client.post(reverse("settlements:statement_copy", args=[document.public_id]))
    assert "副本 第 1 份" in words(response.content)
    document.refresh_from_db()
    assert (document.copies, len(document.copy_hashes)) == (2, 1)


def test_what_has_changed_has_no_copy(client):
    scene = busy()
    client.force_login(scene.daughter)
    client.post(FILE, period(scene) | {"as": "pdf"})
    bill(scene, scene.daughter, in_scope="1.00", self_paid="0.00")
    document = IssuedDocument.objects.get()
    response = client.post(reverse("settlements:statement_copy", args=[document.public_id]))
    assert response.status_code == 302
    document.refresh_from_db()
    assert document.copies == 1


def test_nobody_gets_a_copy_of_anothers_statement(client):
    scene = busy()
    client.force_login(scene.daughter)
    client.post(FILE, period(scene) | {"as": "pdf"})
    document = IssuedDocument.objects.get()
    client.force_login(scene.father)
    assert client.post(reverse("settlements:statement_copy", args=[document.public_id])).status_code == 404


def test_the_table_agrees_and_cannot_carry_a_formula(client):
    scene = make_scene()
    scene.institution.name = "=HYPERLINK(1)"
    scene.institution.save()
    bill(scene)
    client.force_login(scene.daughter)
    body = client.post(FILE, period(scene) | {"as": "csv"}).content
    assert body.startswith(b"\xef\xbb\xbf")
    rows = list(csv.reader(io.StringIO(body.decode("utf-8-sig"))))
    shown = ledger.balances([scene.account.pk], scene.on)[scene.account.pk]
    assert Decimal(rows[-1][6]) == shown.historical
    assert not any(cell.startswith(("=", "+", "@")) for row in rows for cell in row)
    assert any(cell == "'=HYPERLINK(1)" for row in rows for cell in row)


def test_a_clerk_of_the_region_may_issue_and_others_may_not():
    scene = busy()
    wanted = {"account": scene.account, "start": scene.on, "end": scene.on, "at": now()}
    document, _pdf = statements.issue_statement(by=make_staff("clerk", region=scene.region), **wanted)
    assert document.member == scene.daughter.member
    for other in (scene.stranger, make_staff("clerk", region=make_region("410100")), make_staff("auditor")):
        with pytest.raises(PermissionDenied):
            statements.issue_statement(by=other, **wanted)


def test_papers_are_not_issued_without_end(client, settings):
    settings.ACCOUNT_RATE_LIMITS = settings.ACCOUNT_RATE_LIMITS | {"statement": "2/h/user"}
    cache.clear()
    scene = make_scene()
    client.force_login(scene.daughter)
    answers = [client.post(FILE, period(scene) | {"as": "pdf"}).status_code for _ in range(3)]
    cache.clear()
    assert answers == [200, 200, 302]
    assert IssuedDocument.objects.count() == 2


def test_the_file_wants_a_period_too(client):
    scene = make_scene()
    client.force_login(scene.daughter)
    assert client.post(FILE, {"start": "x", "end": "y", "as": "pdf"}).status_code == 422
    assert not IssuedDocument.objects.exists()


def with_a_wallet():
    """A daughter who was sent 900 yuan, paid a premium of 400 out of it, and has credits of this year."""
    scene = busy(father_historical="5000.00")
    noon = datetime.datetime.combine(scene.on, datetime.time(12), datetime.timezone(datetime.timedelta(hours=8)))
    for member in (scene.daughter.member, scene.father.member):
        wallet.open_wallet(member=member, by=None, at=noon)
    facts = {"sender": scene.father.member, "receiver": scene.daughter.member, "amount": Decimal(900)}
    wallet.accept(transfer=wallet.transfer(**facts, at=noon, key="w"), at=noon)
    child = make_member("沈小禾", datetime.date(2016, 4, 4), region=scene.region, insurance="resident")
    share(scene.daughter.member, child, "child", scene.region, scene.on - datetime.timedelta(days=9))
    premium = premiums.Premium(
        amount=Decimal(400), year=scene.on.year + 1, benefit_from=datetime.date(scene.on.year + 1, 1, 1)
    )
    premiums.pay(payer=scene.daughter.member, insured=child, premium=premium, on=scene.on, key="p", source="wallet")
    enrolment = Enrolment.objects.select_related("member", "region").get(member=scene.daughter.member)
    crediting.credit(enrolment=enrolment, every="month", on=scene.on)
    return scene


def test_the_wallet_stands_apart_from_the_account_on_page_and_paper(client):
    scene = with_a_wallet()
    told = statement(scene.daughter, scene.account, scene.on - datetime.timedelta(days=30), scene.on)
    assert [line.amount for line in told.wallet.lines] == [Decimal(900), Decimal(-400)]
    assert (told.wallet.opening, told.wallet.closing) == (0, Decimal(500))
    # It is in none of the account's sums.
    assert told.closing.total == told.opening.total + sum((line.amount for line in told.lines), ZERO)
    assert "wallet" not in told.by_kind
    later = statement(scene.daughter, scene.account, scene.on, scene.on).wallet
    assert later.closing == told.wallet.closing
    with translation.override("zh-hans"):
        lines = [movements.wallet_what(line) for line in told.wallet.lines]
    client.force_login(scene.daughter)
    page = client.get(URL, period(scene, 30)).content.decode()
    paper = words(client.post(FILE, period(scene, 30) | {"as": "pdf"}).content)
    for part in (page, paper):
        assert "医保钱包" in part
        assert all(line.split("：")[0] in part for line in lines)
        assert "500.00" in part
        assert "尚未清算" in part
    [row] = told.credited
    assert f"{row.credited:,.2f}" in paper
    assert f"{row.credited:,.2f}" in client.get(reverse("settlements:account")).content.decode()


def test_what_is_back_and_not_written_yet_stands_in_the_wallets_part():
    scene = with_a_wallet()
    sent_at = now()
    transfer = wallet.transfer(
        sender=scene.daughter.member, receiver=scene.father.member, amount=Decimal(100), source="wallet", key="back",
        at=datetime.datetime.combine(scene.on, datetime.time(13), datetime.timezone(datetime.timedelta(hours=8))),
    )  # fmt: skip
    tomorrow = scene.on + datetime.timedelta(days=1)
    with standing(sent_at + datetime.timedelta(days=2)):
        told = statement(scene.daughter, scene.account, tomorrow, tomorrow)
        [line] = told.wallet.lines
        assert (line.kind, line.amount, line.transfer) == ("returned", Decimal(100), transfer)
        assert told.wallet.closing == balance_of(Wallet.objects.get(member=scene.daughter.member), now())


def test_a_paper_about_a_past_period_says_the_same_when_more_is_credited():
    scene = with_a_wallet()
    document, _pdf = statements.issue_statement(
        account=scene.account, start=scene.on, end=scene.on, by=scene.daughter, at=now()
    )
    enrolment = Enrolment.objects.select_related("member", "region").get(member=scene.daughter.member)
    later = scene.on + datetime.timedelta(days=40)
    crediting.credit(enrolment=enrolment, every="month", on=later)
    with standing(now() + datetime.timedelta(days=40)):
        _document, copy = statements.copy_statement(document=document, by=scene.daughter, at=now())
    assert "副本" in words(copy)

"""The statement of a period: it agrees with the ledger, on the screen, on paper and as a table."""

import csv
import datetime
import io
from decimal import Decimal

import pytest
from django.core.cache import cache
from django.core.exceptions import PermissionDenied
from django.urls import reverse
from pypdf import PdfReader

from accounts.clock import now
from accounts.models import AuditEvent
from accounts.money import ZERO
from documents.models import IssuedDocument
from settlements import ledger
from settlements.actions import statements
from settlements.queries.statement import statement
from tests.people import make_region, make_staff
from tests.settlements.scene import BEIJING, bill, make_scene, undo

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


def test_what_relatives_used_is_net_of_what_came_back():
    scene = busy()
    told = statement(scene.daughter, scene.account, scene.on, scene.on)
    [(who, relation, used)] = told.by_relative
    paid = sum((line.amount for line in told.lines if line.relation), ZERO)
    assert (who, relation, used) == (scene.father.member, "parent", -paid)


def test_the_page_has_presets_and_dates(client):
    scene = busy()
    client.force_login(scene.daughter)
    for preset in ("month", "quarter", "year"):
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

"""Issued papers: number, hash, copies, refusals."""

import datetime
import hashlib
import io

import pytest
from django.core.exceptions import PermissionDenied
from django.utils import timezone
from pypdf import PdfReader

from accounts.errors import Refused
from accounts.models import AuditEvent, RoleAssignment
from documents import numbers, queries, render
from documents.actions import issue as papers
from documents.models import IssuedDocument
from tests.people import make_region, make_staff

pytestmark = pytest.mark.django_db
AT = datetime.datetime(2026, 11, 21, 2, 26, tzinfo=datetime.UTC)
DATA = {
    "title": "受理回执",
    "facts": [["经办编号", "310000202611210001"], ["申请人", "沈*宁"]],
    "sections": [{"title": "已收材料", "lines": ["居民身份证"]}],
    "notes": ["凭编号可以查进度。"],
}


def issue(member, data=DATA, **more):
    return papers.issue(kind="receipt", member=member, data=data, at=AT, **({"by": None} | more))


def words(pdf: bytes) -> str:
    return "\n".join(page.extract_text() for page in PdfReader(io.BytesIO(pdf)).pages)


def test_a_paper_has_its_number_its_texts_and_its_hash(people):
    document, pdf = issue(people.holder.member)
    text = words(pdf)
    assert numbers.grouped(document.number) in text
    for piece in (
        "受理回执",
        "310000202611210001",
        "沈*宁",
        "居民身份证",
        "凭编号可以查进度。",
        "2026年11月21日 10:26",
    ):
        assert piece in text
    assert document.sha256 == hashlib.sha256(pdf).hexdigest()
    assert AuditEvent.objects.get(action="paper_issued").member_id == people.holder.member.pk


def test_a_paper_names_the_centre_where_its_clerk_sat_that_day(people):
    RoleAssignment.objects.filter(user=people.clerk).update(granted_at=AT)
    document, pdf = issue(people.holder.member, by=people.clerk)
    line = f"{people.centre.name}窗口开具，工号 {people.clerk.username}"
    assert line in words(pdf)
    RoleAssignment.objects.filter(user=people.clerk).update(ended_at=AT + datetime.timedelta(days=1))
    later = AT + datetime.timedelta(days=2)
    _document, copy = papers.reprint(document=document, data=DATA, by=people.supervisor, at=later)
    assert line in words(copy), "a copy says the same, wherever the clerk sits now"


def test_a_role_that_was_over_names_no_centre(people):
    last_day = timezone.localdate(AT) - datetime.timedelta(days=1)
    RoleAssignment.objects.filter(user=people.clerk).update(
        granted_at=AT - datetime.timedelta(days=9), last_day=last_day
    )
    RoleAssignment.objects.create(user=people.clerk, role="supervisor", region=people.region)
    _document, pdf = issue(people.holder.member, by=people.clerk)
    assert people.centre.name not in words(pdf) and people.clerk.username in words(pdf)


def test_a_number_has_no_letters_that_look_alike():
    for _ in range(200):
        number = numbers.new()
        assert len(number) == 12
        assert not set(number) & set("0O1I")
        assert numbers.is_number(number)
    assert numbers.normalise(" abcd-efgh ｊｋｌｍ ") == "ABCDEFGHJKLM"


def test_a_slip_is_as_wide_as_the_roll_and_as_long_as_its_text(people):
    _, sheet = issue(people.holder.member)
    _, slip = issue(people.holder.member, {**DATA, "paper": "80mm"})
    size = PdfReader(io.BytesIO(slip)).pages[0].mediabox
    assert round(float(size.width) / 72 * 25.4) == 80
    assert float(size.height) < float(PdfReader(io.BytesIO(sheet)).pages[0].mediabox.height) / 2


def test_the_same_data_give_the_same_bytes_and_are_never_read_as_markup(people):
    data = {**DATA, "number": "X", "check_page": "x", "issued_at": "", "issuer": "", "title": '#panic("x") *粗体* \\'}
    first = render.pdf("receipt.typ", data, check_url="https://portal.example/v/X/", issued_at=AT)
    again = render.pdf("receipt.typ", data, check_url="https://portal.example/v/X/", issued_at=AT)
    assert first == again
    assert '#panic("x") *粗体*' in words(first)


def test_a_copy_is_marked_and_counted(people):
    document, original = issue(people.holder.member)
    document, first = papers.reprint(document=document, data=DATA, by=None, at=AT)
    document, second = papers.reprint(document=document, data=DATA, by=None, at=AT)
    assert "副本" not in words(original)
    assert "副本 第 1 份" in words(first)
    assert "副本 第 2 份" in words(second)
    document.refresh_from_db()
    assert document.copies == 3
    assert document.copy_hashes == [hashlib.sha256(pdf).hexdigest() for pdf in (first, second)]
    assert document.sha256 == hashlib.sha256(original).hexdigest()


def test_other_data_give_no_copy(people):
    document, _ = issue(people.holder.member)
    with pytest.raises(Refused, match="document_changed"):
        papers.reprint(document=document, data={**DATA, "title": "别的"}, by=None, at=AT)
    document.refresh_from_db()
    assert document.copies == 1


def test_a_void_paper_has_no_copy(people):
    document, _ = issue(people.holder.member)
    papers.revoke(document=document, by=people.clerk, at=AT, reason="打错了")
    with pytest.raises(Refused, match="document_revoked"):
        papers.reprint(document=document, data=DATA, by=people.clerk, at=AT)
    assert AuditEvent.objects.get(action="paper_revoked").reason == "打错了"


def test_a_name_the_font_lacks_waits_at_the_window(people):
    rare = {**DATA, "facts": [["申请人", "李\U00020bb7"]]}
    refusals = []
    for _ in range(2):
        with pytest.raises(Refused, match="not_printable") as caught:
            issue(people.holder.member, rare, by=people.holder, subject="A1")
        refusals.append(caught.value.params["number"])
    assert refusals[0] == refusals[1]
    held = IssuedDocument.objects.get()
    assert numbers.grouped(held.number) == refusals[0]
    assert AuditEvent.objects.get(action="paper_held_back").reason == "U+20BB7"
    assert queries.by_number(held.number) is None
    assert not queries.visible_to(people.clerk)


def test_the_font_draws_rare_names_that_it_has():
    assert render.undrawable({"facts": [["姓名", "李𬱖"]], "notes": ["㛃\n"]}) == ""
    assert render.undrawable(["a\U00020bb7", {"x": "\U00020bb7"}]) == "\U00020bb7"


def test_who_may(people):
    for stranger in (people.stranger, people.auditor, make_staff("clerk", region=make_region("410100"))):
        with pytest.raises(PermissionDenied):
            issue(people.holder.member, by=stranger)
    assert not IssuedDocument.objects.exists()
    document, pdf = issue(people.holder.member, by=people.clerk)
    assert people.clerk.username in words(pdf)
    with pytest.raises(PermissionDenied):
        papers.revoke(document=document, by=people.holder, at=AT, reason="")
    assert list(queries.visible_to(people.holder)) == [document]
    assert list(queries.visible_to(people.stranger)) == []


def test_an_unknown_kind_is_an_error(people):
    with pytest.raises(KeyError):
        papers.issue(kind="poem", member=people.holder.member, data=DATA, by=None, at=AT)

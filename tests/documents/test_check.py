"""The public check: no login, nothing but what stands on the paper, and not too often."""

import datetime

import pytest
from django.core.cache import cache
from django.urls import reverse

from documents import numbers
from documents.actions import issue as papers
from tests.documents.test_issue import AT, issue

pytestmark = pytest.mark.django_db
URL = reverse("documents:check")


@pytest.fixture(autouse=True)
def fresh_limits():
    cache.clear()
    yield
    cache.clear()


def test_typed_or_scanned_a_paper_is_found(english, people):
    document, _ = issue(people.holder.member)
    typed = english.get(URL, {"number": numbers.grouped(document.number).lower()})
    scanned = english.get(reverse("documents:check_number", args=[document.number]))
    for response in (typed, scanned):
        page = response.content.decode()
        assert response.status_code == 200
        assert "Genuine and valid" in page
        assert "沈*宁" in page
        assert "沈某宁" not in page
        assert document.sha256 in page
        assert "21 November 2026" in page
        assert people.holder.member.id_number not in page


def test_a_void_paper_says_so(english, people):
    document, _ = issue(people.holder.member)
    papers.revoke(document=document, by=people.clerk, at=AT + datetime.timedelta(days=1), reason="x")
    page = english.get(URL, {"number": document.number}).content.decode()
    assert "no longer valid" in page
    assert "22 November 2026" in page
    assert "Genuine and valid" not in page


def test_an_unknown_number(english):
    response = english.get(URL, {"number": "ABCDEFGHJKLM"})
    assert response.status_code == 404
    assert "ABCD EFGH JKLM" in response.content.decode()


@pytest.mark.parametrize("number", ["", "ABC", "ABCDEFGHJKL0", "x" * 50, "ABCDEFGHJKLMN"])
def test_a_wrong_form_is_told_at_the_field(english, number):
    response = english.get(URL, {"number": number})
    assert response.status_code == 422
    assert response.context["form"].errors["number"]


def test_the_empty_page_asks(english):
    response = english.get(URL)
    assert response.status_code == 200
    assert not response.context["form"].errors


def test_a_held_back_paper_is_no_paper(english, people):
    from accounts.errors import Refused
    from documents.models import IssuedDocument

    with pytest.raises(Refused):
        issue(people.holder.member, {"title": "\U00020bb7", "facts": []})
    assert english.get(URL, {"number": IssuedDocument.objects.get().number}).status_code == 404


def test_checks_are_counted_by_address(english):
    answers = [english.get(URL, {"number": "ABCDEFGHJKLM"}).status_code for _ in range(32)]
    assert answers[:30] == [404] * 30
    assert answers[-1] == 429

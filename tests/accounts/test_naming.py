"""How staff are named: to colleagues in full, to members and institutions by number and masked name (decision 0045)."""

import re
from pathlib import Path

import pytest
from django.conf import settings
from django.urls import reverse

from accounts import clock
from accounts.actions import audit
from accounts.models import AuditEvent, User
from accounts.naming import in_house, outside
from tests.support.pages import log_in

APPS = ("accounts", "casework", "counter", "documents", "family", "gateway", "portal", "settlements")
OTHERWISE = re.compile(r"mask_name\([^)]*display_name|display_name\|mask_name|display_name or \w+(\.\w+)*\.username")


@pytest.mark.parametrize(
    ("name", "number", "outside_it"),
    [("沈某宁", "w00017", "沈*宁 w00017"), ("方 某", "w1", "方*某 w1"), ("", "w2", "w2"), ("方某", "w3", "方* w3")],
)
def test_in_full_inside_and_masked_outside(name: str, number: str, outside_it: str) -> None:
    user = User(username=number, display_name=name, is_staff=True)
    assert in_house(user) == f"{name} {number}".strip()
    assert outside(in_house(user)) == outside_it
    assert (in_house(None), outside("")) == ("", "")


@pytest.mark.django_db
def test_a_member_reads_number_and_masked_name_and_the_log_keeps_the_whole(people) -> None:
    audit.record(action="read_case", by=people.clerk, at=clock.now(), member=people.holder.member, reason="余额查询")
    assert AuditEvent.objects.get(action="read_case").actor == f"柜员甲 {people.clerk.username}"
    page = log_in(people.holder).get(reverse("accounts:seen")).text
    assert f"柜*甲 {people.clerk.username}" in page and "柜员甲" not in page


def test_nobody_names_staff_otherwise() -> None:
    root = Path(settings.BASE_DIR)
    files = [path for app in APPS for path in (root / app).rglob("*.py")] + [*(root / "templates").rglob("*.html")]
    found = [path.name for path in files if OTHERWISE.search(path.read_text())]
    assert len(files) > 300 and found == ["users.py"]  # __str__ of a login, for the administration

"""Lists of the administration over tables of millions: nothing is counted, sorted or told apart over all of a table."""

import datetime
import re

import pytest
from django.apps import apps
from django.contrib import admin
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts import clock
from accounts.actions import audit
from accounts.admin_base import RoleAdmin, RulesAdmin
from accounts.admin_lists import ShortCount
from accounts.enums import Role
from accounts.models import AuditEvent
from tests.people import make_region, make_staff
from tests.support.pages import english, text

pytestmark = pytest.mark.django_db
LISTS = sorted(
    (model._meta.label_lower.replace(".", "_"), of.viewers[0])
    for model, of in admin.site._registry.items()
    # Rules are few.
    if isinstance(of, RoleAdmin) and not isinstance(of, RulesAdmin)
)


@pytest.fixture
def desks():
    """A browser for each role."""
    region = make_region("310000")
    return {role: english(make_staff(role, region=region)) for role in {role for _, role in LISTS}}


@pytest.mark.parametrize(("name", "role"), LISTS)
def test_no_list_asks_all_of_its_table(desks, name, role):
    with CaptureQueriesContext(connection) as asked:
        response = desks[role].get(reverse(f"admin:{name}_changelist"))
    assert response.status_code == 200
    told = [query["sql"] for query in asked.captured_queries]
    assert any(f"LIMIT {ShortCount.MOST})" in sql for sql in told), "it is counted, but not to the end"
    table = apps.get_model(*name.split("_"))._meta.db_table
    assert not [sql for sql in told if sql == f'SELECT COUNT(*) AS "__count" FROM "{table}"']
    assert not [sql for sql in told if "DISTINCT" in sql or re.search(r"\b(MIN|MAX)\(", sql)]


@pytest.fixture
def log():
    """Lines of the log; the browser of an auditor."""
    clerk = make_staff(Role.CLERK, region=make_region("310000"))
    for at in (clock.now(), clock.now() - datetime.timedelta(days=40)):
        audit.record(action="case_open", by=clerk, at=at, target="case ABCD2345", channel="window")
    return clerk, english(make_staff(Role.AUDITOR))


def found(browser, **asked):
    page = text(browser.get(reverse("admin:accounts_auditevent_changelist"), asked))
    return page.count("case ABCD2345"), page


def test_the_log_is_searched_by_login_and_words_within_days(log):
    clerk, browser = log
    assert found(browser, q=clerk.username)[0] == 2
    lines, page = found(browser, q="ABCD2345")
    assert lines == 1 and "in the last 31 days" in page
    old = AuditEvent.objects.filter(target="case ABCD2345").earliest("at").at
    lines, page = found(browser, q="ABCD2345", at_from=f"{old:%Y-%m-%d}")
    assert lines == 2 and "in the last 31 days" not in page
    assert found(browser, q="ABCD2345", at_to="2001-01-01")[0] == 0


def test_days_that_are_none_are_refused_and_a_whole_day_is_shown(log):
    _, browser = log
    listed = reverse("admin:accounts_auditevent_changelist")
    assert browser.get(listed, {"at_from": "31.12.2026"})["Location"].endswith("?e=1")
    today = f"{clock.today():%Y-%m-%d}"
    assert found(browser, at_from=today, at_to=today)[0] == 1


def test_a_list_that_is_longer_than_was_counted_says_so(log, monkeypatch):
    _, browser = log
    monkeypatch.setattr(ShortCount, "MOST", 1)
    assert "The first 1; choose days or a filter" in found(browser)[1]

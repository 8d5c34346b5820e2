"""The rules of every region as administrators see them: in full, with source, grade and note beside each version."""

import datetime

import pytest
from django.urls import reverse
from django.utils.html import escape

from accounts import rule_text
from accounts.models import Region
from family.models import SharingRules
from settlements.actions import regions
from settlements.models import CreditRule, Scheme
from tests.people import make_staff


@pytest.fixture
def administrator(client, db):
    regions.load(regions.region_files())
    client.force_login(make_staff("region_admin", region=Region.objects.get(pk="310000"), name="章甲"))
    return client


@pytest.mark.parametrize(
    ("model", "name"),
    [(Scheme, "settlements_scheme"), (CreditRule, "settlements_creditrule"), (SharingRules, "family_sharingrules")],
)
def test_every_version_shows_where_it_comes_from(administrator, model, name) -> None:
    listed = administrator.get(reverse(f"admin:{name}_changelist"), {"all": ""}).text
    for row in model.objects.select_related("region"):
        assert row.region.local_name in listed
        page = administrator.get(reverse(f"admin:{name}_change", args=[row.pk])).text
        for told in (row.data["source"], row.data["grade"], row.data.get("note", {"zh": "-"})["zh"]):
            assert escape(told) in page


def test_what_is_not_known_says_so(administrator) -> None:
    row = Scheme.objects.get(region_id="371500", insurance="employee", kind="outpatient")
    page = administrator.get(reverse("admin:settlements_scheme_change", args=[row.pk])).text
    assert "known = false" in page and "SD4" in page and "是凑数的，不能当作出处" in page


def test_rows_are_read_as_when_and_then() -> None:
    data = {
        "source": "above",
        "payers": {"in_scope": ["shared", {"bucket": "current", "above": "1.00"}], "self_paid": []},
        "stage": [
            {
                "kind": "rate",
                "source": "SY1",
                "cap": "5.00",
                "rate": [
                    {"when": {"status": "active", "level": ["primary", "top"]}, "value": "70"},
                    {"value": "60"},
                    {"when": {"signed": True}, "add": "10"},
                ],
                "band": [{"up_to": "7.00", "rate": "50"}, {"unknown": True}],
            }
        ],
    }
    assert rule_text.lines(data) == [
        "payers",
        "    self_paid = -",
        "    in_scope = shared | bucket = current, above = 1.00",
        "stage 1",
        "    kind = rate",
        "    rate",
        "        status = active, level = primary | top: 70",
        "        *: 60",
        "        signed = true: +10",
        "    cap = 5.00",
        "    source = SY1",
        "    band 1",
        "        up_to = 7.00",
        "        rate = 50",
        "    band 2",
        "        unknown = true",
    ]
    assert rule_text.lines({"keep": datetime.date(2025, 1, 2)}) == ["keep = 2025-01-02"]

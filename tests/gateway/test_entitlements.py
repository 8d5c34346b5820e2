"""2001: a fund is promised only where a bill would be paid by it."""

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

from accounts.clock import today
from accounts.models import Member, Region
from gateway.queries.people import psn_no
from settlements.actions.opening import open_account
from settlements.actions.regions import load
from tests.gateway.world import World, make_hospital
from tests.people import make_member


def funds(world: World, patient: Member, med_type: str, insutype: str = "310", **hospital: Any) -> dict[str, Any]:
    """Fund -> whether it pays, with the reason if not, at a hospital of Liaocheng, whose figures are not known."""
    place = make_hospital(Region.objects.get(code="371500"), "另一机构", **hospital)
    asked = {
        "psn_no": psn_no(patient), "insutype": insutype, "fixmedins_code": place.institution.code,
        "med_type": med_type, "begntime": f"{today()} 08:00:00",
    }  # fmt: skip
    rows = place.ok("2001", {"data": asked})["trtinfo"]
    return {row["fund_pay_type"]: (row["trt_enjymnt_flag"], row["trt_chk_rslt"]) for row in rows}


@pytest.fixture
def liaocheng(world: World) -> Member:
    load([Path(settings.BASE_DIR) / "regions" / "371500.toml"])
    member = make_member("乔某", region=Region.objects.get(code="371500"))
    open_account(member=member, region_id="371500", on=today(), historical=Decimal("100.00"))
    return member


@pytest.mark.parametrize("med_type", ["11", "21"])
def test_where_the_figures_are_not_known_nothing_is_promised(world: World, liaocheng: Member, med_type: str) -> None:
    """A bill of such care is refused whole, so the account pays nothing either."""
    found = funds(world, liaocheng, med_type)
    assert {flag for flag, _why in found.values()} == {"0"}
    assert all("没有可靠来源" in why for _flag, why in found.values())


def test_where_only_accounts_pay_the_pooled_fund_is_not_promised(world: World, liaocheng: Member) -> None:
    found = funds(world, liaocheng, "41", kind="pharmacy", level="primary")
    assert found["310100"][0] == "0"
    assert "统筹基金" in found["310100"][1]
    assert found["310200"] == ("1", None)


def test_a_resident_at_a_pharmacy(world: World, liaocheng: Member) -> None:
    resident = make_member("乔某娟", region=liaocheng.enrolments.get().region, insurance="resident")
    assert {flag for flag, _why in funds(world, resident, "41", "390", kind="pharmacy", level="primary").values()} == {
        "0"
    }


def test_a_resident_whose_account_is_left_from_employment(world: World, liaocheng: Member) -> None:
    liaocheng.enrolments.update(insurance="resident")
    found = funds(world, liaocheng, "41", "390", kind="pharmacy", level="primary")
    assert (found["390100"][0], found["310200"]) == ("0", ("1", None))


@pytest.mark.parametrize(
    ("med_type", "insutype", "kind", "why"),
    [
        ("11", "390", "hospital", "insutype"),
        ("41", "390", "pharmacy", "insutype"),
        ("41", "310", "hospital", "med_type"),
        ("11", "310", "pharmacy", "med_type"),
        ("21", "310", "pharmacy", "med_type"),
    ],
)
def test_of_a_bill_that_would_be_sent_back_the_account_pays_nothing(
    world: World, liaocheng: Member, med_type: str, insutype: str, kind: str, why: str
) -> None:
    found = funds(world, liaocheng, med_type, insutype, kind=kind, level="primary")
    assert "310200" in found
    assert {flag for flag, _why in found.values()} == {"0"}
    assert all(why in text for _flag, text in found.values())

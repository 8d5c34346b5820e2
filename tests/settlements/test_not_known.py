"""What no reliable source tells of a region is refused in clear words, and nothing is moved or guessed."""

import datetime

import pytest
from django.utils import translation

from accounts import reasons
from accounts.enums import PersonalStatus
from accounts.errors import Refused
from accounts.models import Enrolment
from settlements.actions import care, credit_runs, crediting
from settlements.actions.opening import open_account
from settlements.models import Entry, LedgerTransaction, Settlement
from settlements.queries.year import year_use
from tests.people import make_institution, make_member
from tests.settlements.rollover.world import faults, yuan
from tests.settlements.scene import region_of_file

ON = datetime.date(2025, 9, 10)


@pytest.fixture
def liaocheng(db):
    return region_of_file("371500")


@pytest.fixture
def member(liaocheng):
    member = make_member(region=liaocheng)
    open_account(member=member, region_id=liaocheng.pk, on=ON, historical=yuan("500.00"))
    return member


def settle(member, region, kind: str, in_scope: str = "300.00", key: str = "1", **said):
    bill = care.Bill(kind=kind, level="tertiary", in_scope=yuan(in_scope), **said)
    return care.settle(patient=member, institution=make_institution(region=region), bill=bill, on=ON, key=key)


def test_a_scheme_that_is_not_known_settles_nothing_and_says_why(liaocheng, member):
    with pytest.raises(Refused) as refused:
        settle(member, liaocheng, "outpatient")
    assert (refused.value.code, refused.value.params["why"]) == ("not_covered", "not_known")
    with translation.override("zh-hans"):
        assert "没有可靠来源" in reasons.tell_refused(refused.value).reason
    assert not Settlement.objects.exists()
    assert Entry.objects.exclude(kind="opening").count() == 0


def test_the_account_still_pays_at_a_pharmacy(liaocheng, member):
    settled = settle(member, liaocheng, "pharmacy")
    assert (settled.fund, settled.own_historical, settled.cash) == (0, yuan("300.00"), 0)
    assert faults(ON) == []


def test_the_account_page_has_no_stages_to_show(liaocheng, member):
    assert year_use(Enrolment.objects.get(member=member), 2025, ON) == []


def test_a_bill_beyond_the_known_bands_is_refused(db):
    hangzhou = region_of_file("330100")
    patient = make_member(region=hangzhou)
    with pytest.raises(Refused) as refused:
        settle(patient, hangzhou, "inpatient", "40000.01")
    assert refused.value.params["why"] == "not_known"
    assert settle(patient, hangzhou, "inpatient", "40000.00", key="2").fund == yuan("32144.00")


def test_the_retired_are_passed_over_where_their_credit_is_not_known(liaocheng, member):
    Enrolment.objects.filter(member=member).update(base=yuan("6000.00"))
    retired = make_member(region=liaocheng)
    Enrolment.objects.filter(member=retired).update(personal_status=PersonalStatus.RETIRED)
    open_account(member=retired, region_id=liaocheng.pk, on=ON)
    with pytest.raises(Refused) as refused:
        crediting.credit(enrolment=Enrolment.objects.get(member=retired), every="month", on=ON)
    assert (refused.value.code, refused.value.params["why"]) == ("not_covered", "no_credit")
    assert credit_runs.credit_region(region=liaocheng, every="month", on=ON) == (1, yuan("120.00"))


def test_care_of_a_day_to_come_is_neither_quoted_nor_settled(liaocheng, member):
    tomorrow, institution = ON + datetime.timedelta(days=1), make_institution(region=liaocheng)
    bill = care.Bill(kind="pharmacy", level="tertiary", in_scope=yuan("300.00"), service_on=tomorrow)
    with pytest.raises(Refused, match="future_care"):
        care.quote(patient=member, institution=None, bill=bill, on=ON)
    for _turn in range(2):
        with pytest.raises(Refused, match="future_care"):
            care.settle(patient=member, institution=institution, bill=bill, on=ON, key="1")
    assert not Settlement.objects.exists() and faults(ON) == []
    kept = LedgerTransaction.objects.filter(scope=f"institution:{institution.pk}", key="1")
    assert [row.answer["refused"] for row in kept] == ["future_care"]
    assert settle(member, liaocheng, "pharmacy", service_on=ON).service_on == ON

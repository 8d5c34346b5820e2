"""The clearing statement of a month: by category, to the fen what the books say."""

import csv
import datetime
import io
from decimal import Decimal

from django.db import connection
from django.urls import reverse

from accounts.clock import today
from accounts.enums import Role
from accounts.models import AuditEvent
from gateway.actions.clearing_paper import line_name
from gateway.queries.clearing import clearing_of
from settlements.actions import care
from tests.gateway.test_reconciling import settle, take_back
from tests.gateway.world import World
from tests.people import make_region, make_staff
from tests.support.pages import log_in


def contra_sum(world: World, month: datetime.date) -> Decimal:
    """What accounts paid to the institution in a month, as the ledger has it: the sum by its contra."""
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT coalesce(-sum(current_delta + historical_delta - debt_delta), 0) FROM settlements_entry
            WHERE contra = 'institution' AND contra_id = %s AND date_trunc('month', business_date) = %s""",
            [world.hospital.institution.pk, month.replace(day=1)],
        )
        return cursor.fetchone()[0]


def test_the_statement_is_what_was_answered_and_what_the_books_say(world: World) -> None:
    bills = [settle(world, total) for total in ("80.00", "1412.35", "300.10")]
    back = take_back(world, bills[0])
    # Not over the interface: entered directly, without a visit.
    direct = care.settle(
        patient=world.patient,
        institution=world.hospital.institution,
        bill=care.Bill(kind="pharmacy", level="primary", in_scope=Decimal("50.00")),
        on=today(),
        key="direct",
    )
    found = clearing_of(world.hospital.institution, today())
    by_category = {line.clr_type: line for line in found.lines}
    assert by_category.keys() == {"11", "41"}
    outpatient, sums = by_category["11"].sums, [*bills, back]
    assert (outpatient.settled, outpatient.reversed) == (3, 1)
    assert outpatient.total == sum(bill["medfee_sumamt"] for bill in sums)
    assert outpatient.fund + outpatient.supplement == sum(bill["fund_pay_sumamt"] for bill in sums)
    assert outpatient.accounts == sum(bill["acct_pay"] for bill in sums)
    assert outpatient.family == sum(bill["acct_mulaid_pay"] for bill in sums) > 0
    assert outpatient.cash == sum(bill["psn_cash_pay"] for bill in sums)
    assert by_category["41"].sums.total == direct.total == Decimal("50.00")
    assert found.sums.total == found.sums.due + found.sums.cash
    assert found.sums.accounts == contra_sum(world, today())
    assert found.recalculated.settled == 0


def test_a_month_without_anything(world: World) -> None:
    settle(world, "80.00")
    found = clearing_of(world.hospital.institution, datetime.date(2020, 2, 29))
    assert (found.lines, found.sums.due) == ([], 0)
    assert found.first == datetime.date(2020, 2, 1)


def test_the_statement_on_its_page_as_table_and_on_paper(world: World) -> None:
    bills = [settle(world, "80.00"), settle(world, "1412.35")]
    client = log_in(make_staff(Role.REGION_ADMIN, region=world.region))
    chosen = {"institution": world.hospital.institution.pk, "month": f"{today():%Y-%m}"}
    page = client.get(reverse("admin:gateway_difference_clearing"), chosen).content.decode()
    assert "1,492.35" in page
    table = client.get(reverse("admin:gateway_difference_clearingcsv"), chosen)
    rows = list(csv.reader(io.StringIO(table.content.decode("utf-8-sig"))))
    assert rows[-1][1:4] == ["2", "0", "1492.35"]
    due = sum(bill["fund_pay_sumamt"] + bill["acct_pay"] for bill in bills)
    assert rows[-1][-1] == str(due)
    paper = client.get(reverse("admin:gateway_difference_clearingpdf"), chosen)
    assert paper["Content-Type"] == "application/pdf"
    assert paper.content.startswith(b"%PDF-")
    taken = AuditEvent.objects.filter(action="clearing_statement")
    assert sorted(event.details["form"] for event in taken) == ["csv", "pdf"]


def test_a_line_names_the_kind_of_care_once() -> None:
    assert line_name("11", "outpatient", "employee") == "11 门诊 · 职工医保"
    assert line_name("41", "pharmacy", "resident") == "41 药店购药 · 居民医保"
    assert line_name("14", "pharmacy", "employee") == "14 门诊慢特病 · 药店 · 职工医保"


def test_only_for_institutions_of_the_region_and_months_of_the_list(world: World) -> None:
    chosen = {"institution": world.hospital.institution.pk, "month": f"{today():%Y-%m}"}
    address = reverse("admin:gateway_difference_clearing")
    other = log_in(make_staff(Role.REGION_ADMIN, region=make_region("110000")))
    assert other.get(address, chosen).status_code == 422
    assert other.get(reverse("admin:gateway_difference_clearingpdf"), chosen).status_code == 404
    client = log_in(make_staff(Role.REGION_ADMIN, region=world.region))
    assert client.get(address).status_code == 200
    assert client.get(address, chosen | {"month": "2099-13"}).status_code == 422
    assert log_in(make_staff(Role.AUDITOR)).get(address, chosen).status_code == 200
    assert log_in(make_staff(Role.SYSTEM_ADMIN)).get(address, chosen).status_code == 404

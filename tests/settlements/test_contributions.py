"""Files of contributions: read whole or not at all, released by another person, posted once, arrears where they belong."""

import datetime
import io

import pytest
from cryptography.exceptions import InvalidTag
from django.db import connection
from openpyxl import Workbook

from accounts import crypto
from accounts.errors import Refused
from accounts.models import AuditEvent, Enrolment
from accounts.money import ZERO
from accounts.reasons import registered
from settlements.actions import contribution_posting, contributions, credit_runs, leaving
from settlements.actions.opening import open_account
from settlements.ledger.many import lock_many
from settlements.models import Contribution, ContributionFault, ContributionFile, Credit
from settlements.queries import uploads
from settlements.queries.crediting import left_out
from tests.people import make_member, make_staff
from tests.settlements.rollover.world import at, faults, state_of, yuan
from tests.settlements.scene import BEIJING, region_of_file
from tests.support.pages import log_in

NOVEMBER = datetime.date(2025, 11, 1)
DAY = datetime.date(2025, 11, 20)
TITLES = "身份证号,姓名,缴费基数,费款所属期"


@pytest.fixture
def beijing(db):
    return region_of_file(BEIJING)


@pytest.fixture
def shanghai(db):
    return region_of_file()


def insured(region, base="10000.00", **more):
    member = make_member(region=region, base=base and yuan(base), **more)
    return member, open_account(member=member, region_id=region.pk, on=datetime.date(2024, 6, 1))


def uploaded(region, *lines: str, month=NOVEMBER, by=None, titles=TITLES, day=DAY) -> ContributionFile:
    content = "\n".join([titles, *lines]).encode()
    return contributions.receive(
        region=region, month=month, name="november.csv", content=io.BytesIO(content),
        by=by or make_staff("region_admin", region=region), at=at(day),
    )  # fmt: skip


def read(region, *lines: str, **more) -> ContributionFile:
    file = uploaded(region, *lines, **more)
    contributions.read(file_id=file.pk, at=at(DAY))
    file.refresh_from_db()
    return file


def line(member, base="10000.00", month="") -> str:
    return f"{member.id_number},{member.name},{base},{month}"


def post(file, day=DAY):
    run = contributions.release(file=file, by=make_staff("region_admin", region=file.region), at=at(day))
    done = []
    while isinstance(step := credit_runs.work_next(run_id=run.pk), credit_runs.Done):
        done.append(step)
    return run, done


def mistakes(file) -> list[tuple[int, str, str]]:
    return list(ContributionFault.objects.filter(file=file).values_list("line", "column", "code"))


def test_a_file_that_waits_lies_sealed_and_is_read_whole(beijing, monkeypatch):
    """It holds the ID numbers of everybody who works in the region."""
    monkeypatch.setattr(uploads, "PIECE", 40)
    people = [insured(beijing)[0] for _ in range(3)]
    file = uploaded(beijing, *map(line, people))
    with connection.cursor() as cursor:
        cursor.execute("SELECT content FROM settlements_contributionfile WHERE id = %s", [file.pk])
        (stored,) = cursor.fetchone()
    assert file.size > 120 and not [one for one in people if one.id_number.encode() in stored]
    contributions.read(file_id=file.pk, at=at(DAY))
    file.refresh_from_db()
    assert (file.state, file.totals["members"]) == ("ready", 3)


def test_a_piece_that_was_changed_or_moved_is_not_read(beijing, monkeypatch):
    monkeypatch.setattr(uploads, "PIECE", 40)
    whole = uploads.sealed(bytes(80))
    step = 40 + crypto.OVERHEAD
    for content in (whole[:-1] + bytes([whole[-1] ^ 1]), whole[step:] + whole[:step]):
        file = ContributionFile.objects.create(
            region=beijing, month=NOVEMBER, sha256=content[:8].hex(), size=80, content=content, uploaded_at=at(DAY)
        )
        with pytest.raises(InvalidTag):
            uploads.opened(file)


def test_a_file_is_read_compared_released_and_posted(beijing):
    before, account = insured(beijing)
    other, second = insured(beijing)
    post(read(beijing, line(before), month=datetime.date(2025, 10, 1)), datetime.date(2025, 10, 20))
    file = read(beijing, line(before, "12000.00"), line(other, "11000.50"))
    assert (file.state, file.content) == ("ready", None)
    assert file.totals["rows"] == file.totals["members"] == 2
    assert (file.totals["base_sum"], file.totals["expected"]) == ("23000.50", "460.01")
    assert file.totals["before"] == {
        "month": "2025-10-01", "members": 1, "base_sum": "10000.00", "new": 1, "missing": 0, "changed": 1,
    }  # fmt: skip
    run, [done] = post(file)
    assert (done.accounts, done.amount) == (2, yuan("460.01"))
    assert (state_of(account)[2], state_of(second)[2]) == (yuan("440.00"), yuan("220.01"))
    bases = Enrolment.objects.filter(member=before).order_by("valid_from").values_list("base", "valid_from", "valid_to")
    assert list(bases) == [
        (yuan("10000.00"), datetime.date(2020, 1, 1), NOVEMBER),
        (yuan("12000.00"), NOVEMBER, None),
    ]
    run.refresh_from_db()
    assert run.state == "done"
    assert faults(DAY) == []
    acts = list(AuditEvent.objects.filter(action__startswith="contributions").values_list("action", flat=True))
    assert sorted(set(acts)) == ["contributions.read", "contributions.release", "contributions.upload"]


def test_whoever_uploads_does_not_release(beijing):
    member, _ = insured(beijing)
    admin = make_staff("region_admin", region=beijing)
    file = read(beijing, line(member), by=admin)
    with pytest.raises(Refused, match="same_person"):
        contributions.release(file=file, by=admin)
    assert ContributionFile.objects.get().state == "ready"


def test_one_mistake_and_nothing_is_kept(beijing):
    member, account = insured(beijing)
    stranger = make_member(region=None, insurance=None)
    file = read(
        beijing,
        line(member),
        line(member, "11000.00"),
        line(stranger),
        "110101199003070013,某人,1.00,",
        "12,某人,1.00,",
        line(insured(beijing)[0], "-5.00"),
        line(insured(beijing)[0], "5.001"),
        line(insured(beijing)[0], "0"),
        line(insured(beijing)[0], ""),
        line(insured(beijing)[0], "1e4"),
        line(insured(beijing)[0], "9000", "2025-12"),
        line(insured(beijing)[0], "9000", "Nov"),
        line(insured(beijing)[0], "9000", "2019-01"),
        line(insured(beijing)[0], "=1+1"),
        line(insured(beijing)[0]).replace("沈某宁", "别人"),
    )
    assert (file.state, Contribution.objects.count(), file.fault_count) == ("faulty", 0, 14)
    found = [(number, code) for number, _, code in mistakes(file)]
    assert found == [
        (3, "row_twice"), (4, "member_elsewhere"), (5, "id_check"), (6, "id_length"), (7, "amount_negative"),
        (8, "amount_decimals"), (9, "amount_zero"), (10, "amount_missing"), (11, "amount_format"),
        (12, "month_later"), (13, "month_format"), (14, "month_too_early"), (15, "cell_formula"), (16, "name_differs"),
    ]  # fmt: skip
    assert {code for _, code in found} <= registered()
    assert state_of(account)[2] == ZERO
    with pytest.raises(Refused, match="file_state"):
        contributions.release(file=file, by=make_staff("region_admin", region=beijing))


def test_a_month_that_no_calendar_has_is_a_mistake_of_its_row(beijing):
    file = read(beijing, *(line(insured(beijing)[0], month=month) for month in ("0000-01", "2025-00", "2025-13")))
    assert [code for _, _, code in mistakes(file)] == ["month_format"] * 3


def test_a_name_is_the_same_with_another_dot(beijing):
    member, _ = insured(beijing, name="阿依古丽·买买提")
    assert read(beijing, line(member).replace("·", "•")).state == "ready"


def test_somebody_nobody_knows(beijing):
    file = read(beijing, "110101199003074514,某人,1.00,")
    assert [code for _, _, code in mistakes(file)] in (["member_unknown"], ["id_check"])


def test_a_file_that_is_no_table_says_so(beijing):
    file = uploaded(beijing, titles="谁,多少")
    contributions.read(file_id=file.pk)
    file.refresh_from_db()
    assert (file.state, file.refused["code"]) == ("faulty", "columns_missing")


def test_the_same_file_again_is_told_and_after_the_fix_it_is_taken(beijing):
    member, _ = insured(beijing)
    read(beijing, line(member))
    with pytest.raises(Refused, match="table_again"):
        uploaded(beijing, line(member))
    wrong = read(beijing, line(member, "x"))
    assert wrong.state == "faulty"
    # The same bytes again are read again: what was wrong may be that the register did not know somebody yet.
    assert read(beijing, line(member, "x")).state == "faulty"


def test_why_less_was_credited_than_the_file_carries(beijing):
    """A file that carries 600.00 yuan and books 0.00 says why, with the rule."""
    (first, _), (second, gone) = insured(beijing), insured(beijing)
    credit_runs.credit_region(region=beijing, every="month", on=DAY)
    type(gone).objects.filter(pk=gone.pk).update(status="closed", current=0, historical=0, debt=0)
    Enrolment.objects.filter(member=second).update(valid_to=DAY)
    run, [done] = post(read(beijing, line(first), line(second), line(first, month="2024-12")))
    assert dict(done.left) == {"standing": (1, yuan("200.00")), "closed": (1, yuan("200.00"))}
    assert left_out(run) == {"standing": (1, yuan("200.00")), "closed": (1, yuan("200.00"))}
    credited = log_in(make_staff("region_admin", region=beijing))
    page = credited.get(f"/admin/settlements/creditrun/{run.pk}/change/", HTTP_ACCEPT_LANGUAGE="en").content.decode()
    assert "The month stands credited already" in page
    assert "The account is closed." in page
    assert "600.00" in page


def test_a_line_of_somebody_who_is_insured_again_opens_his_account(beijing):
    member, account = insured(beijing)
    type(account).objects.filter(pk=account.pk).update(status="closed")
    _, [done] = post(read(beijing, line(member)))
    assert (done.accounts, dict(done.left)) == (1, {})
    assert state_of(account)[2] == yuan("200.00") and account.status == "open"
    assert AuditEvent.objects.filter(action="account_reopened", member_id=member.pk).count() == 1
    assert faults(DAY) == []


def test_where_the_year_is_credited_ahead_the_rule_is_named(shanghai):
    member, _ = insured(shanghai)
    credit_runs.credit_region(region=shanghai, every="year", on=DAY)
    run, [done] = post(read(shanghai, line(member)))
    assert dict(done.left) == {"year": (1, yuan("200.00"))}
    page = log_in(make_staff("region_admin", region=shanghai)).get(f"/admin/settlements/creditrun/{run.pk}/change/")
    assert "crediting.every = year" in page.content.decode()


def test_a_month_of_a_year_that_will_be_credited_is_not_credited_by_itself(shanghai):
    member, account = insured(shanghai)
    _, [done] = post(read(shanghai, line(member)))
    assert (done.amount, dict(done.left)) == (ZERO, {"year": (1, yuan("200.00"))})
    assert not Credit.objects.filter(account=account).exists()


def test_a_month_posted_twice_is_credited_once(beijing):
    member, account = insured(beijing)
    post(read(beijing, line(member)))
    _, [done] = post(read(beijing, line(member, "12000.00")))
    assert done.accounts == 0
    assert state_of(account)[2] == yuan("200.00")
    assert Enrolment.objects.filter(member=member).latest("valid_from").base == yuan("12000.00")


def test_a_withdrawn_file_never_counted(beijing):
    member, _ = insured(beijing)
    file = read(beijing, line(member))
    contributions.withdraw(file=file, by=make_staff("region_admin", region=beijing))
    assert Contribution.objects.count() == 0
    assert read(beijing, line(member)).state == "ready"


def test_a_workbook(beijing):
    member, account = insured(beijing)
    book = Workbook()
    book.active.append(["身份证号", "缴费基数"])
    book.active.append([member.id_number, 10000])
    out = io.BytesIO()
    book.save(out)
    out.seek(0)
    file = contributions.receive(
        region=beijing, month=NOVEMBER, name="11.xlsx", content=out, by=make_staff("region_admin", region=beijing),
        at=at(DAY),
    )  # fmt: skip
    contributions.read(file_id=file.pk)
    file.refresh_from_db()
    post(file)
    assert state_of(account)[2] == yuan("200.00")


def test_arrears_of_an_earlier_year_go_to_historical_in_shanghai(shanghai):
    member, account = insured(shanghai)
    day = datetime.date(2025, 2, 10)
    credit_runs.credit_region(region=shanghai, every="year", on=datetime.date(2024, 7, 1))
    row = Enrolment.objects.select_related("region", "member").get(member=member)
    leaving.leave(enrolment=row, why="stopped", on=day, at=at(day))
    back = datetime.date(2025, 9, 1)
    row = Enrolment.objects.select_related("region", "member").filter(member=member).latest("valid_from")
    leaving.rejoin(enrolment=row, on=back, at=at(back))
    credit_runs.credit_region(region=shanghai, every="year", on=back)
    was = state_of(account)
    # March and May 2025 lay in the year that closed in June; November is part of the year's credit already.
    _, [done] = post(
        read(shanghai, line(member, "9000.00", "2025-03"), line(member, "9000", "202505"), line(member, "10000"))
    )  # fmt: skip
    assert done.amount == yuan("360.00")
    now = state_of(account)
    assert (now[1], now[2] - was[2]) == (was[1], yuan("360.00"))
    assert set(Credit.objects.values_list("period", flat=True)) == {"2024", "2025", "2025-03", "2025-05"}
    assert faults(DAY) == []


def test_whoever_left_while_the_chunk_waited_for_his_account_is_seen_to_have_left(shanghai, monkeypatch):
    """The year's credit went back from November on; a November that was paid all the same is credited by itself."""
    member, account = insured(shanghai)
    credit_runs.credit_region(region=shanghai, every="year", on=datetime.date(2025, 7, 1))
    file = read(shanghai, line(member))
    row = Enrolment.objects.select_related("region", "member").get(member=member)

    def left_first(accounts, on):
        leaving.leave(enrolment=row, why="stopped", on=datetime.date(2025, 10, 10), at=at(DAY))
        return lock_many(accounts, on)

    monkeypatch.setattr(contribution_posting, "lock_many", left_first)
    _, [done] = post(file)
    assert (done.amount, done.left) == (yuan("200.00"), {})
    assert set(Credit.objects.filter(account=account).values_list("period", flat=True)) == {"2025", "2025-11"}
    assert faults(DAY) == []


def test_a_worker_killed_while_reading_leaves_the_file_to_be_read(beijing, monkeypatch):
    member, _ = insured(beijing)
    file = uploaded(beijing, line(member))

    def killed(*_):
        raise KeyboardInterrupt

    real = contributions._totals
    monkeypatch.setattr(contributions, "_totals", killed)
    with pytest.raises(KeyboardInterrupt):
        contributions.read(file_id=file.pk)
    monkeypatch.setattr(contributions, "_totals", real)
    file.refresh_from_db()
    assert (file.state, Contribution.objects.count()) == ("reading", 0)
    assert contributions.read(file_id=file.pk).state == "ready"
    assert contributions.read(file_id=file.pk) is None


def test_a_month_to_come_and_a_region_without_a_rule(beijing):
    with pytest.raises(Refused, match="month_to_come"):
        uploaded(beijing, month=datetime.date(2025, 12, 1))
    with pytest.raises(Refused, match="not_covered"):
        uploaded(beijing, month=datetime.date(2019, 12, 1))

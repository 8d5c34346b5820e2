"""Pages of contribution files and crediting runs: two people, what is wrong told row by row, nobody else."""

import datetime

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from accounts import clock
from accounts.tables import MEGABYTE
from settlements.actions import clearing, contributions, credit_runs, crediting
from settlements.actions.opening import open_account
from settlements.models import ContributionFile, CreditRun
from tests.people import make_member, make_staff
from tests.settlements.rollover.world import yuan
from tests.settlements.scene import BEIJING, region_of_file
from tests.support.pages import log_in

ADD = "admin:settlements_contributionfile_add"


@pytest.fixture
def beijing(db):
    return region_of_file(BEIJING)


@pytest.fixture
def member(beijing):
    person = make_member(region=beijing, base=yuan("10000.00"))
    open_account(member=person, region_id=beijing.pk, on=datetime.date(2024, 6, 1))
    return person


def admin(region):
    return log_in(make_staff("region_admin", region=region))


def send(client, region, *rows: str, titles: str = "身份证号,缴费基数"):
    file = SimpleUploadedFile("十一月.csv", "\n".join([titles, *rows]).encode("gbk"))
    month = clock.today().replace(day=1).isoformat()
    return client.post(reverse(ADD), {"region": region.pk, "month": month, "file": file})


def page(client, name: str, *args: object) -> str:
    return client.get(reverse(f"admin:settlements_{name}", args=args)).content.decode()


def test_upload_preview_and_release_by_another(beijing, member):
    first, second = admin(beijing), admin(beijing)
    answer = send(first, beijing, f"{member.id_number},12000.00")
    file = ContributionFile.objects.get()
    assert answer.headers["Location"] == reverse("admin:settlements_contributionfile_change", args=[file.pk])
    assert "hx-get" in page(first, "contributionfile_change", file.pk)
    contributions.read(file_id=file.pk)
    shown = page(first, "contributionfile_change", file.pk)
    assert "12,000.00" in shown
    assert "240.00" in shown
    release = reverse("admin:settlements_contributionfile_act", args=[file.pk, "release"])
    assert first.post(release).status_code == 422
    assert second.get(release).status_code == 200
    run_page = second.post(release).headers["Location"]
    run = CreditRun.objects.get()
    assert run_page == reverse("admin:settlements_creditrun_change", args=[run.pk])
    assert credit_runs.work(run_id=run.pk, seconds=5) == credit_runs.Outcome.FINISHED
    assert "240.00" in second.get(run_page).content.decode()
    assert second.get(reverse("admin:settlements_creditrun_part", args=[run.pk])).status_code == 286


def test_a_file_is_as_large_as_the_page_says_it_may_be(beijing):
    """Pages take 2 MB, these two 48: a region's file of a month has more than 2."""
    client, rows = admin(beijing), ["110101199003070013,12000.00"] * 120_000
    assert send(client, beijing, *rows).status_code == 302
    assert ContributionFile.objects.get().size > 3 * MEGABYTE
    terms = {"region": beijing.pk, "valid_from": (clock.today() + datetime.timedelta(days=1)).isoformat()}
    file = SimpleUploadedFile("目录.csv", b"x" * 3 * MEGABYTE)
    assert client.post(reverse("admin:settlements_cataloguefile_add"), terms | {"file": file}).status_code == 302


def test_mistakes_are_listed_and_downloaded(beijing, member):
    client = admin(beijing)
    send(client, beijing, f"{member.id_number},-3", "1,2")
    file = ContributionFile.objects.get()
    contributions.read(file_id=file.pk)
    shown = page(client, "contributionfile_change", file.pk)
    assert shown.count("portal-table__label") >= 6
    answer = client.get(reverse("admin:settlements_contributionfile_mistakes", args=[file.pk]))
    lines = answer.content.decode("utf-8-sig").splitlines()
    assert len(lines) == 3
    assert lines[1].startswith("2,")


def test_a_file_that_is_refused_says_why_on_the_form(beijing, member):
    client = admin(beijing)
    row = f"{member.id_number},12000.00"
    send(client, beijing, row)
    assert send(client, beijing, row).status_code == 422
    assert client.post(reverse(ADD), {"region": beijing.pk}).status_code == 422


def test_the_template_can_be_filled_in(beijing):
    answer = admin(beijing).get(reverse("admin:settlements_contributionfile_template"))
    assert "身份证号" in answer.content.decode("utf-8-sig") or "ID number" in answer.content.decode("utf-8-sig")


def test_another_regions_administrator_finds_nothing(beijing, member):
    send(admin(beijing), beijing, f"{member.id_number},12000.00")
    file = ContributionFile.objects.get()
    run = credit_runs.begin(region=beijing, every="month", on=datetime.date(2025, 12, 5))
    stranger = admin(region_of_file())
    for name, pk in (("contributionfile", file.pk), ("creditrun", run.pk)):
        for what in ("change", "part"):
            assert stranger.get(reverse(f"admin:settlements_{name}_{what}", args=[pk])).status_code == 404
        act = reverse(f"admin:settlements_{name}_act", args=[pk, "release"])
        assert stranger.post(act).status_code == 404
    clerk = log_in(make_staff("clerk", region=beijing))
    assert clerk.get(reverse(ADD)).status_code in (302, 404)


def test_an_auditor_reads_and_presses_nothing(beijing, member):
    run = credit_runs.begin(region=beijing, every="month", on=datetime.date(2025, 12, 5))
    auditor = log_in(make_staff("auditor"))
    assert auditor.get(reverse("admin:settlements_creditrun_change", args=[run.pk])).status_code == 200
    assert auditor.post(reverse("admin:settlements_creditrun_act", args=[run.pk, "pause"])).status_code == 404


def test_a_run_is_paused_from_its_page(beijing, member):
    run = credit_runs.begin(region=beijing, every="month", on=datetime.date(2025, 12, 5))
    client = admin(beijing)
    act = reverse("admin:settlements_creditrun_act", args=[run.pk, "pause"])
    assert client.get(act).status_code == 200
    assert client.post(act).status_code == 302
    run.refresh_from_db()
    assert run.state == "paused"
    assert client.post(act).status_code == 422


def test_a_clearing_is_planned_from_its_page(beijing):
    client = admin(beijing)
    assert client.get(reverse("admin:settlements_creditrun_add")).status_code == 200
    answer = client.post(reverse("admin:settlements_creditrun_add"), {"region": beijing.pk, "year": 2025})
    assert answer.status_code == 422
    assert (
        client.post(reverse("admin:settlements_creditrun_add"), {"region": beijing.pk, "year": "x"}).status_code == 422
    )


def test_a_finished_clearing_says_what_went_back_in_words_of_its_own(beijing, member):
    planner, releaser = (make_staff("region_admin", region=beijing, name=name) for name in ("章甲", "章乙"))
    crediting.credit(enrolment=member.enrolments.get(), every="month", on=datetime.date(2025, 3, 5))
    run = clearing.plan(region=beijing, year=2025, by=planner)
    credit_runs.release(run=run, by=releaser)
    credit_runs.work(run_id=run.pk, seconds=60)
    page = log_in(releaser).get(reverse("admin:settlements_creditrun_change", args=[run.pk])).content.decode()
    assert "已完成" in page and "从账户扣回" in page
    assert "计划已撤回" not in page

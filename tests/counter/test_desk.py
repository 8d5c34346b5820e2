"""Opening a record at the window: for a reason, for a time, and every look is written where the member sees it."""

import datetime
import json
from decimal import Decimal

import pytest
from bs4 import BeautifulSoup
from django.urls import reverse

from accounts import clock
from accounts.models import AuditEvent
from accounts.queries import seen_by_staff
from casework import kinds
from counter import desk
from counter.papers import notices
from tests.people import make_member, make_region, make_staff
from tests.support.ledger import open_account
from tests.support.pages import fields, log_in
from tests.support.sharing import make_grant

HOME, MEMBER = "/counter/", "/counter/member/"


def open_record(client, number: str, reason: str = "sharing", **more):
    return client.post(HOME, fields(client.get(HOME)) | {"number": number, "reason": reason} | more)


def actions(member) -> list[str]:
    return list(AuditEvent.objects.filter(member_id=member.pk).order_by("id").values_list("action", flat=True))


@pytest.mark.parametrize("number", ["id_number", "card_number"])
def test_a_card_opens_the_record_and_the_member_sees_it(people, clerk, number) -> None:
    member = people.holder.member
    assert open_record(clerk, getattr(member, number))["Location"] == MEMBER
    page = clerk.get(MEMBER).content.decode()
    assert member.name not in page and member.id_number not in page
    assert actions(member) == ["open_member", "read_member"]
    assert {line.reason for line in seen_by_staff(member)} == {"家庭共济"}


@pytest.mark.parametrize(
    "answers", [{"number": ""}, {"reason": ""}, {"reason": "other"}, {"reason": "other", "words": " "}, {"reason": "x"}]
)
def test_without_number_or_reason_nothing_opens(people, clerk, answers) -> None:
    data = fields(clerk.get(HOME)) | {"number": people.holder.member.id_number, "reason": "sharing"} | answers
    assert clerk.post(HOME, data).status_code == 422
    assert clerk.get(MEMBER)["Location"] == HOME
    assert actions(people.holder.member) == []


def test_who_is_insured_elsewhere_and_who_does_not_exist_are_one_answer(people, clerk) -> None:
    elsewhere = make_member("高某山", region=make_region("110000"))
    answers = [open_record(clerk, elsewhere.id_number), open_record(clerk, "X" * 12)]
    assert [answer.status_code for answer in answers] == [422, 422]
    assert AuditEvent.objects.filter(action="open_refused").count() == 2
    assert clerk.get(MEMBER).status_code == 302
    # Nor does the clerk's own journal tell them apart: neither a name, nor by what is counted together.
    (line,) = clerk.get(reverse("counter:journal")).context["readings"]
    assert line["name"] == ""
    assert "高" not in clerk.get(reverse("counter:journal")).content.decode()


def test_a_mistyped_id_number_is_told_and_is_no_try_to_open_a_record(people, clerk) -> None:
    number = people.holder.member.id_number
    wrong = number[:-1] + ("1" if number[-1] != "1" else "2")
    response = open_record(clerk, wrong)
    assert response.status_code == 422
    assert response.context["form"].errors.as_data()["number"][0].code == "id_check"
    assert not AuditEvent.objects.filter(action="open_refused").exists()


def test_whoever_looks_up_too_many_is_stopped_and_told_of(settings, people, caplog):
    """Z8, B7: one record after the other is how a register is copied."""
    settings.ACCOUNT_RATE_LIMITS = settings.ACCOUNT_RATE_LIMITS | {"look_up": "2/h/user"}
    clerk, member = log_in(people.clerk), people.holder.member
    data = {"number": member.id_number, "reason": "balance"}
    answers = [clerk.post("/counter/", fields(clerk.get("/counter/")) | data) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [302, 302, 422]
    assert AuditEvent.objects.filter(action="open_member", member_id=member.pk).count() == 2
    assert f"ALARM: staff login {people.clerk.pk} looks up" in caplog.text
    assert AuditEvent.objects.filter(action="denied", actor_id=people.clerk.pk, target="look_up").count() == 1
    find = reverse("admin:accounts_member_find")
    admin = log_in(people.region_admin)
    assert [admin.post(find, {"number": member.id_number})["Location"].endswith("/change/") for _ in range(3)] == [
        True, True, False,
    ]  # fmt: skip


def test_pages_of_a_record_are_one_line_of_the_journal(people, serving) -> None:
    for url in (MEMBER, reverse("counter:bind"), MEMBER):
        serving.get(url)
    rows = serving.get(reverse("counter:journal")).context["readings"]
    assert [row["reason"] for row in rows] == ["家庭共济", "家庭共济"], "opened, and looked at"
    assert "3" in rows[0]["what"] and "3" not in rows[1]["what"]


def test_only_pages_that_show_a_record_say_that_looking_is_recorded(people, serving, supervisor) -> None:
    def says(client, name: str) -> bool:
        page = client.get(reverse(f"counter:{name}"), headers={"Accept-Language": "en"}).content.decode()
        return "Each time a record is opened here" in page

    assert all(says(serving, name) for name in ("member", "bind"))
    assert not any(says(serving, name) for name in ("home", "journal"))
    assert not says(supervisor, "queue")


def test_after_a_quarter_of_an_hour_it_is_closed(people, serving, monkeypatch) -> None:
    assert serving.get(MEMBER).status_code == 200
    # From the opening, which on a busy machine was seconds ago.
    opened = AuditEvent.objects.get(action="open_member", member_id=people.holder.member.pk).at
    later = opened + datetime.timedelta(minutes=14, seconds=59)
    monkeypatch.setattr(clock, "now", lambda: later)
    assert serving.get(MEMBER).status_code == 200
    monkeypatch.setattr(clock, "now", lambda: later + datetime.timedelta(seconds=2))
    assert serving.get(MEMBER)["Location"] == HOME
    assert serving.post(reverse("counter:unmask")).status_code == 302
    assert "unmask" not in actions(people.holder.member)


def test_closed_by_hand(serving) -> None:
    serving.post(reverse("counter:close"))
    assert serving.get(MEMBER)["Location"] == HOME


def test_numbers_in_full_are_an_act_of_their_own(people, serving) -> None:
    assert serving.get(reverse("counter:unmask")).status_code == 405
    page = serving.post(reverse("counter:unmask")).content.decode()
    assert people.holder.member.id_number in page
    assert actions(people.holder.member)[-1] == "unmask"
    assert people.holder.member.id_number not in serving.get(MEMBER).content.decode()


def test_beside_a_form_the_numbers_are_shown_in_the_bar_alone(people, serving) -> None:
    bar = serving.post(reverse("counter:unmask"), headers={"HX-Request": "true"}).content.decode()
    assert people.holder.member.id_number in bar and "<html" not in bar
    assert actions(people.holder.member)[-1] == "unmask"


def test_a_press_after_the_time_is_over_leads_to_a_whole_page(people, serving, monkeypatch) -> None:
    """HTMX would put the page that a redirect leads to inside the part that asked."""
    later = clock.now() + desk.OPEN_FOR
    monkeypatch.setattr(clock, "now", lambda: later)
    for name in ("order", "unmask"):
        response = serving.post(reverse(f"counter:{name}"), headers={"HX-Request": "true"})
        assert (response.status_code, response.get("HX-Redirect")) == (200, HOME)


def test_opened_again_for_the_same_reason(people, serving) -> None:
    serving.post(reverse("counter:close"))
    page = serving.get(HOME)
    response = serving.post(HOME, fields(page) | {"again": str(people.holder.member.public_id)})
    assert response["Location"] == MEMBER
    assert actions(people.holder.member).count("open_member") == 2


def test_a_role_that_has_ended_closes_the_record(people, serving) -> None:
    people.clerk.role_assignments.update(ended_at=clock.now())
    assert serving.get(MEMBER).status_code == 404


def test_balances_and_family_of_the_record(people, serving) -> None:
    open_account(people.holder.member, people.region, 2026, "100", "2000.50")
    make_grant(people.holder.member, people.spouse.member)
    page = serving.get(MEMBER).content.decode()
    assert "2,000.50" in page
    assert "方*" in page


def test_the_order_on_behalf(people, rules) -> None:
    client = log_in(people.clerk)
    open_record(client, people.spouse.member.id_number)
    son = make_member("方某航", datetime.date(2001, 1, 1), sex="M")
    first = make_grant(people.holder.member, people.spouse.member)
    second = make_grant(son, people.spouse.member, "parent")
    url = reverse("counter:order")
    assert client.get(url).status_code == 200
    client.post(url, {"id": str(second.public_id), "version": "0", "move": "top"})
    people.spouse.member.refresh_from_db()
    assert people.spouse.member.deduction_order.grant_ids == [second.pk, first.pk]
    assert client.post(url, {"id": str(first.public_id), "version": "0", "move": "top"}).status_code == 422


def test_a_grant_ends_on_behalf_and_once(people, serving) -> None:
    grant = make_grant(people.holder.member, people.spouse.member)
    url = reverse("counter:end", args=[grant.public_id])
    once = fields(serving.get(url))
    assert serving.post(url, once)["Location"] == serving.post(url, once)["Location"] == MEMBER
    grant.refresh_from_db()
    assert (grant.ends_on, grant.end_reason) == (clock.today(), "grantor")
    other = make_grant(people.stranger.member, people.child, "child")
    assert serving.get(reverse("counter:end", args=[other.public_id])).status_code == 404


class TestTerms:
    """The commitment promises it: at the window as online, a member limits a relative's use, pauses it, takes it up."""

    @pytest.fixture
    def grant(self, people):
        return make_grant(people.holder.member, people.spouse.member, limit=Decimal(3000))

    def url(self, grant) -> str:
        return reverse("counter:terms", args=[grant.public_id])

    def test_use_and_limit(self, people, serving, grant) -> None:
        assert self.url(grant) in serving.get(MEMBER).content.decode()
        once = fields(serving.get(self.url(grant))) | {"do": "terms", "uses": ["care"], "limit": "1200"}
        assert serving.post(self.url(grant), once)["Location"] == serving.post(self.url(grant), once)["Location"]
        grant.refresh_from_db()
        assert (grant.limit, grant.uses_care, grant.uses_premium) == (Decimal(1200), True, False)
        line = AuditEvent.objects.get(action="sharing_adjusted", member_id=people.holder.member.pk)
        assert (line.actor_id, line.channel) == (people.clerk.pk, "window")

    @pytest.mark.parametrize("wrong", [{"limit": "0"}, {"limit": "12x"}, {"uses": []}])
    def test_a_mistake_is_told_and_changes_nothing(self, serving, grant, wrong) -> None:
        data = fields(serving.get(self.url(grant))) | {"do": "terms", "uses": ["care"], "limit": "10"} | wrong
        response = serving.post(self.url(grant), data)
        assert response.status_code == 422
        assert BeautifulSoup(response.content, "html.parser").select_one(f"#id_{next(iter(wrong))}_error")
        grant.refresh_from_db()
        assert grant.limit == Decimal(3000)

    def test_a_pause_is_seen_on_the_record_and_ends(self, serving, grant) -> None:
        for do, is_paused in (("pause", True), ("resume", False)):
            serving.post(self.url(grant), fields(serving.get(self.url(grant))) | {"do": do})
            grant.refresh_from_db()
            assert (grant.paused_at is not None) is is_paused
            assert ("已暂停" in serving.get(MEMBER).content.decode()) is is_paused

    def test_whoever_only_uses_the_account_cannot_set_its_limit(self, people, clerk, grant) -> None:
        client = clerk
        client.post(HOME, fields(client.get(HOME)) | {"number": people.spouse.member.id_number, "reason": "sharing"})
        assert client.get(self.url(grant)).status_code == 404
        assert f'"{self.url(grant)}"' not in client.get(MEMBER).content.decode()


class TestNotice:
    """What is missing is told once, in writing, and whole."""

    def url(self, kind: str = "sharing") -> str:
        return reverse("counter:notice", args=[kind])

    def test_each_matter_leads_to_its_notice(self, people, serving) -> None:
        open_account(people.holder.member, people.region, 2026, "100", "2000.50")
        for page, kind in (("bind", "sharing"), ("claim", "claim")):
            assert f'href="{self.url(kind)}"' in serving.get(reverse(f"counter:{page}")).content.decode()
        for kind in kinds.brought_for():
            assert serving.get(self.url(kind.code)).status_code == 200
        assert serving.get(self.url("weather")).status_code == 404

    def test_it_lists_what_was_ticked_and_written(self, people) -> None:
        data = notices.notice(people.holder.member, "sharing", [1, 3], "姓名与身份证不符", "某中心", clock.now())
        wanted, whole = (section["lines"] for section in data["sections"])
        assert wanted == [whole[1], whole[3], "姓名与身份证不符"]
        assert people.holder.member.name not in json.dumps(data, ensure_ascii=False)

    def test_printed_again_it_is_a_copy(self, people, serving) -> None:
        data = {"missing": ["1"], "other": "", "paper": "80mm"}
        for paper in ("80mm", "80mm", "A4"):
            assert serving.post(self.url(), data | {"paper": paper}).content.startswith(b"%PDF")
        assert actions(people.holder.member).count("paper_issued") == 2
        assert actions(people.holder.member).count("paper_copied") == 1

    @pytest.mark.parametrize("wrong", [{}, {"missing": ["99"]}, {"other": "长" * 121}])
    def test_an_empty_or_wrong_one_is_not_printed(self, people, serving, wrong) -> None:
        response = serving.post(self.url(), {"paper": "A4"} | wrong)
        assert response.status_code == 422
        assert BeautifulSoup(response.content, "html.parser").select_one(".govuk-error-message")
        assert "paper_issued" not in actions(people.holder.member)


def test_a_statement_is_printed(people, serving) -> None:
    open_account(people.holder.member, people.region, 2026, "100", "2000.50")
    page = serving.get(reverse("counter:statement"))
    form = BeautifulSoup(page.content, "html.parser").select_one("main form:has([name=period])")
    assert form["target"] == "_blank", "the record stays open behind the paper"
    assert form.select_one("[name=period][checked]")["value"] == "twelve"
    response = serving.post(reverse("counter:statement"), fields(page) | {"period": "year"})
    assert response["Content-Type"] == "application/pdf"
    assert response.content.startswith(b"%PDF")


def test_the_journal_holds_ones_own_day_only(people, serving, rules) -> None:
    serving.get(MEMBER)
    page = serving.get(reverse("counter:journal")).content.decode()
    assert "沈*宁" in page
    other = log_in(make_staff("clerk", region=people.region))
    assert "沈*宁" not in other.get(reverse("counter:journal")).content.decode()


def test_the_journal_counts_the_day_and_an_earlier_one(people, serving) -> None:
    grant = make_grant(people.holder.member, people.spouse.member)
    url, journal = reverse("counter:terms", args=[grant.public_id]), reverse("counter:journal")
    serving.post(url, fields(serving.get(url)) | {"do": "pause"})
    open_account(people.holder.member, people.region, 2026, "100", "2000.50")
    statement = reverse("counter:statement")
    serving.post(statement, fields(serving.get(statement)) | {"period": "year"})
    page = serving.get(journal).context
    sums = page["sums"]
    assert (sums.people, sums.submitted, sums.papers, sums.copies, dict(sums.money)) == (1, 0, 1, 0, {})
    assert len(page["acts"]) == 2, "the pause once, though it stands in two records, and the paper"
    before = serving.get(journal, {"day": page["before"].isoformat()}).context
    assert (before["sums"].people, before["acts"], before["after"]) == (0, [], clock.today())
    for asked in ("2100-01-01", "yesterday", ""):
        assert serving.get(journal, {"day": asked}).context["on"] == clock.today()


def test_a_supervisor_is_led_to_his_queue(supervisor) -> None:
    assert supervisor.get(HOME)["Location"] == reverse("counter:queue")


@pytest.mark.parametrize("who", ["holder", "region_admin", "system_admin", "auditor"])
@pytest.mark.parametrize("name", ["home", "member", "bind", "order", "statement", "journal", "queue"])
def test_others_find_no_such_page(people, rules, who, name) -> None:
    assert log_in(getattr(people, who)).get(reverse(f"counter:{name}")).status_code == 404

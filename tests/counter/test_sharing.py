"""A binding at the window from the dry run to the receipt, and its second check by somebody else."""

import datetime
import re
from decimal import Decimal

import pytest
from bs4 import BeautifulSoup
from django.urls import reverse

from accounts import clock, masks
from accounts.models import AuditEvent, Enrolment, SmsOutbox
from casework.models import Case, CaseEvent
from documents.models import IssuedDocument
from family.actions import sharing
from family.models import SharingApplication, SharingGrant
from tests.people import make_region, make_staff
from tests.support.pages import fields, log_in
from tests.support.sharing import make_grant

BIND = "/counter/bind/"


def send(client, url: str, data: dict | None = None):
    return client.post(url, fields(client.get(url)) | (data or {}))


def who(member, relation="spouse", **more) -> dict:
    return {"name": member.name, "id_number": member.id_number, "relation": relation, "limit": "2000"} | more


@pytest.fixture
def begun(people, serving) -> SharingApplication:
    people.spouse.member.phone = "13800005207"
    people.spouse.member.save()
    response = send(serving, BIND, who(people.spouse.member))
    application = SharingApplication.objects.get()
    assert response["Location"] == case_url(application)
    return application


def case_url(application) -> str:
    return reverse("counter:case", args=[application.case.public_id])


@pytest.fixture
def asked(serving, begun) -> SharingApplication:
    response = send(serving, case_url(begun), {"do": "submit", "agree": "on"})
    assert response.status_code == 302
    begun.refresh_from_db()
    assert begun.case.state == "consent"
    return begun


def code_sent() -> str:
    return re.search(r"\d{6}", SmsOutbox.objects.filter(kind="code:sharing_consent").first().text).group()


@pytest.fixture
def waiting(serving, asked) -> SharingApplication:
    """It waits for the second check."""
    send(serving, case_url(asked), {"do": "send_code"})
    send(serving, case_url(asked), {"do": "agree", "code": code_sent()})
    asked.refresh_from_db()
    assert asked.case.state == "review"
    return asked


class TestAtTheWindow:
    def test_a_case_has_the_head_of_every_page_of_the_window(self, serving, begun) -> None:
        """What a page calls its own things must not change what stands above it."""
        heads = [
            [
                tag.get("name")
                for tag in BeautifulSoup(serving.get(url).text, "html.parser").select(".portal-tools button")
            ]
            for url in (BIND, case_url(begun))
        ]
        assert heads[0] == heads[1]

    def test_begun_by_the_clerk_for_the_member(self, people, begun) -> None:
        case = begun.case
        assert (case.state, case.channel, case.opened_by, case.centre) == (
            "draft",
            "window",
            people.clerk,
            people.centre,
        )
        assert begun.limit == Decimal(2000)

    def test_the_same_relative_again_goes_on_with_the_draft(self, people, serving, begun) -> None:
        response = send(serving, BIND, who(people.spouse.member, limit="300", agent_name="高某山"))
        assert response["Location"] == case_url(begun)
        begun.refresh_from_db()
        assert (begun.limit, begun.case.agent_name, Case.objects.count()) == (Decimal(300), "高某山", 1)
        assert len(BeautifulSoup(serving.get(case_url(begun)).content, "html.parser").select(".portal-said")) == 1
        send(serving, BIND, who(people.spouse.member))
        begun.case.refresh_from_db()
        assert (begun.case.agent_name, Case.objects.count()) == ("", 1)
        send(serving, case_url(begun), {"do": "withdraw"})
        send(serving, BIND, who(people.spouse.member))
        assert Case.objects.count() == 2, "what was taken back is over"

    def test_all_reasons_against_it_are_told_at_once(self, people, serving, rules) -> None:
        rules(relations=["child"], max_beneficiaries=1)
        make_grant(people.holder.member, people.child, "child")
        response = send(serving, BIND, who(people.spouse.member))
        assert response.status_code == 422
        assert len(BeautifulSoup(response.content, "html.parser").select(".portal-notice--bad li")) == 2
        assert not Case.objects.exists()

    def test_the_ages_are_held_against_the_relation(self, people, serving, begun) -> None:
        answer = send(serving, BIND, who(people.child, "parent"))
        assert answer.status_code == 422 and list(answer.context["form"].errors) == ["relation"]
        assert Case.objects.count() == 1
        answer = send(serving, reverse("counter:amend", args=[begun.case.public_id]), {"relation": "child"})
        assert answer.status_code == 422 and list(answer.context["form"].errors) == ["relation"]
        begun.refresh_from_db()
        assert begun.relation == "spouse"

    def test_the_applicant_must_have_signed(self, serving, begun) -> None:
        assert send(serving, case_url(begun), {"do": "submit"}).status_code == 422
        begun.refresh_from_db()
        assert begun.case.state == "draft"

    def test_the_code_from_the_relatives_telephone(self, people, serving, asked, waiting) -> None:
        waiting.refresh_from_db()
        assert waiting.consent_channel == "window"
        assert SmsOutbox.objects.filter(kind="code:sharing_consent").first().phone == people.spouse.phone

    def test_a_wrong_code_counts_and_a_second_code_must_wait(self, serving, asked) -> None:
        url = case_url(asked)
        send(serving, url, {"do": "send_code"})
        wrong = "000000" if code_sent() != "000000" else "111111"
        response = send(serving, url, {"do": "agree", "code": wrong})
        assert response.status_code == 422
        assert BeautifulSoup(response.content, "html.parser").select_one("#id_code_error")
        assert send(serving, url, {"do": "send_code"}).status_code == 422
        assert send(serving, url, {"do": "agree", "code": "12"}).status_code == 422
        asked.refresh_from_db()
        assert asked.case.state == "consent"

    def test_on_paper_it_is_noted_and_checked(self, serving, asked, rules) -> None:
        rules(review="none")
        unsigned = send(serving, case_url(asked), {"do": "paper"})
        asked.refresh_from_db()
        assert (unsigned.status_code, asked.case.state) == (422, "consent")
        send(serving, case_url(asked), {"do": "paper", "signed": "on"})
        asked.refresh_from_db()
        assert asked.case.state == "review"
        assert CaseEvent.objects.get(verb="consent").note == "paper"

    def test_the_relative_signs_a_sheet_of_his_own(self, people, serving, begun) -> None:
        sheet = reverse("counter:commitment", args=[begun.case.public_id])
        own = 'id="h-consent"'
        before = serving.post(sheet).content.decode()
        assert own not in before, "nobody is asked yet"
        assert people.centre.name in before and masks.mask_id(people.holder.member.id_number) in before
        send(serving, case_url(begun), {"do": "submit", "agree": "on"})
        assert own in serving.post(sheet).content.decode()

    def test_who_signs_is_named_in_full_and_that_is_recorded_with_both(self, people, serving, begun) -> None:
        sheet = reverse("counter:commitment", args=[begun.case.public_id])
        both = [people.holder.member, people.spouse.member]
        assert serving.get(sheet)["Location"] == case_url(begun)
        page = serving.post(sheet).content.decode()
        for person in both:
            assert person.name in page and person.id_number not in page
        seen = AuditEvent.objects.filter(action="unmask")
        assert {line.member_id for line in seen} == {person.pk for person in both}
        serving.post(reverse("counter:close"))
        assert serving.post(sheet)["Location"] == "/counter/"
        assert seen.count() == 2

    def test_begun_online_the_receipt_names_the_window_that_took_it(self, people, serving) -> None:
        draft = sharing.draft(
            grantor=people.holder.member,
            beneficiary=people.spouse.member,
            relation="spouse",
            by=people.holder,
            at=clock.now(),
        )
        send(serving, case_url(draft), {"do": "submit", "agree": "on"})
        draft.refresh_from_db()
        assert (draft.case.channel, draft.case.centre) == ("online", people.centre)

    @pytest.mark.parametrize(("do", "state"), [("decline", "refused"), ("withdraw", "withdrawn")])
    def test_no_or_not_any_more(self, serving, asked, do, state) -> None:
        page = BeautifulSoup(serving.get(case_url(asked)).content, "html.parser")
        assert not page.select(f"button[value={do}]"), "it cannot be undone, so it is asked about first"
        sure = serving.get(case_url(asked) + page.select_one(f'a[href="?ask={do}"]')["href"])
        assert len(BeautifulSoup(sure.content, "html.parser").select(f"button[value={do}]")) == 1
        serving.post(case_url(asked), fields(sure) | {"do": do})
        asked.refresh_from_db()
        assert asked.case.state == state

    def test_changed_it_must_be_signed_again(self, serving, asked) -> None:
        response = send(serving, reverse("counter:amend", args=[asked.case.public_id]), {"limit": "100"})
        assert response["Location"] == case_url(asked)
        asked.refresh_from_db()
        assert (asked.case.state, asked.limit, asked.commitment) == ("returned", Decimal(100), None)

    def test_a_form_sent_again_does_nothing_twice(self, people, serving, begun) -> None:
        url = case_url(begun)
        once = fields(serving.get(url)) | {"do": "submit", "agree": "on"}
        assert serving.post(url, once)["Location"] == serving.post(url, once)["Location"] == url
        assert CaseEvent.objects.filter(verb="submit").count() == 1

    def test_without_an_open_record_it_is_read_and_not_worked_on(self, people, serving, asked) -> None:
        data = fields(serving.get(case_url(asked))) | {"do": "withdraw"}
        serving.post(reverse("counter:close"))
        assert serving.get(case_url(asked)).status_code == 200
        assert serving.post(case_url(asked), data)["Location"] == "/counter/"
        asked.refresh_from_db()
        assert asked.case.state == "consent"

    def test_a_clerk_of_another_region_finds_nothing(self, asked) -> None:
        client = log_in(make_staff("clerk", region=make_region("110000")))
        for name in ("case", "amend", "commitment"):
            assert client.get(reverse(f"counter:{name}", args=[asked.case.public_id])).status_code in (302, 404)
        assert client.get(case_url(asked)).status_code == 404
        assert client.post(reverse("counter:receipt", args=[asked.case.public_id]), {"paper": "A4"}).status_code == 404

    def test_the_receipt_and_its_copies(self, serving, asked) -> None:
        url = reverse("counter:receipt", args=[asked.case.public_id])
        for paper in ("80mm", "A4", "80mm"):
            response = serving.post(url, {"paper": paper})
            assert response["Content-Type"] == "application/pdf"
            assert response.content.startswith(b"%PDF")
        papers = {one.subject: one.copies for one in IssuedDocument.objects.all()}
        assert papers == {f"{asked.case.number} 80mm": 2, f"{asked.case.number} A4": 1}

    def test_no_receipt_before_it_is_submitted(self, serving, begun) -> None:
        response = serving.post(reverse("counter:receipt", args=[begun.case.public_id]), {"paper": "A4"})
        assert response["Location"] == case_url(begun)
        assert not IssuedDocument.objects.exists()

    def test_both_people_see_that_the_case_was_read(self, people, serving, begun) -> None:
        serving.get(case_url(begun))
        for user in (people.holder, people.spouse):
            assert AuditEvent.objects.filter(
                action="read_case", member_id=user.member_id, actor_id=people.clerk.pk
            ).exists()


class TestSecondCheck:
    def url(self, application) -> str:
        return reverse("counter:review", args=[application.case.public_id])

    def decide(self, client, application, verdict: str, reason: str = ""):
        return send(client, self.url(application), {"verdict": verdict, "reason": reason})

    def test_granted(self, people, supervisor, waiting) -> None:
        assert waiting.case.number in supervisor.get(reverse("counter:queue")).content.decode()
        assert self.decide(supervisor, waiting, "approve")["Location"] == reverse("counter:queue")
        grant = SharingGrant.objects.get()
        waiting.refresh_from_db()
        assert (grant.application, waiting.case.checked_by) == (waiting, people.supervisor)

    def test_a_closed_case_is_not_checked_again_and_is_due_no_more(self, supervisor, waiting) -> None:
        def page() -> BeautifulSoup:
            headers = {"Accept-Language": "en"}
            return BeautifulSoup(supervisor.get(self.url(waiting), headers=headers).content, "html.parser")

        assert page().select_one("#h-now") and page().select_one("#h-diff")
        assert "due" in page().select_one(".portal-head").get_text()
        self.decide(supervisor, waiting, "approve")
        assert not page().select_one("#h-now") and not page().select_one("#h-diff")
        assert "due" not in page().select_one(".portal-head").get_text()

    @pytest.mark.parametrize(("verdict", "state"), [("return", "returned"), ("refuse", "refused")])
    def test_returned_or_refused_for_a_reason(self, supervisor, waiting, verdict, state) -> None:
        assert self.decide(supervisor, waiting, verdict).status_code == 422
        self.decide(supervisor, waiting, verdict, "姓名和户口本不一致")
        waiting.case.refresh_from_db()
        assert (waiting.case.state, waiting.case.reason) == (state, "姓名和户口本不一致")

    def test_a_verdict_sent_again_is_one_verdict(self, supervisor, waiting) -> None:
        once = fields(supervisor.get(self.url(waiting))) | {"verdict": "approve"}
        assert (
            supervisor.post(self.url(waiting), once)["Location"] == supervisor.post(self.url(waiting), once)["Location"]
        )
        assert SharingGrant.objects.count() == 1

    def test_nobody_checks_what_he_made(self, people, waiting) -> None:
        from accounts.models import RoleAssignment

        RoleAssignment.objects.create(user=people.clerk, role="supervisor", region=people.region)
        both = log_in(people.clerk)
        page = BeautifulSoup(both.get(self.url(waiting)).content, "html.parser")
        assert not page.select("button[name=verdict]")
        data = {"version": waiting.case.version, "verdict": "approve", "token": "a" * 20}
        assert both.post(self.url(waiting), data).status_code == 422
        assert not SharingGrant.objects.exists()

    def test_a_case_that_moved_on_is_not_decided_unseen(self, supervisor, waiting) -> None:
        once = fields(supervisor.get(self.url(waiting))) | {"verdict": "approve"}
        Case.objects.filter(pk=waiting.case_id).update(version=99)
        assert supervisor.post(self.url(waiting), once).status_code == 422
        assert not SharingGrant.objects.exists()

    def test_what_changed_since_it_was_submitted_is_shown(self, people, supervisor, serving, waiting, rules) -> None:
        make_grant(people.holder.member, people.child, "child")
        Case.objects.filter(pk=waiting.case_id).update(submitted_at=clock.now() - datetime.timedelta(days=1))
        Enrolment.objects.filter(member=people.spouse.member).update(valid_to=clock.today())
        Enrolment.objects.create(
            member=people.spouse.member, region=people.region, insurance="resident", valid_from=clock.today()
        )
        rows = BeautifulSoup(supervisor.get(self.url(waiting)).content, "html.parser").select(".portal-table tbody tr")
        assert len(rows) == 2

    def test_terms_changed_between_two_submissions_are_shown(self, supervisor, serving, waiting) -> None:
        self.decide(supervisor, waiting, "return", "上限写错了")
        send(serving, reverse("counter:amend", args=[waiting.case.public_id]), {"limit": "50"})
        send(serving, case_url(waiting), {"do": "submit", "agree": "on"})
        send(serving, case_url(waiting), {"do": "paper"})
        row = BeautifulSoup(supervisor.get(self.url(waiting)).content, "html.parser").select_one(
            ".portal-table tbody tr"
        )
        assert "2,000.00" in row.get_text() and "50.00" in row.get_text()

    def test_overdue_is_marked(self, supervisor, waiting) -> None:
        Case.objects.filter(pk=waiting.case_id).update(due_on=clock.today() - datetime.timedelta(days=2))
        page = BeautifulSoup(supervisor.get(reverse("counter:queue")).content, "html.parser")
        assert page.select_one(".portal-rows .portal-tag--bad")

    def test_a_supervisor_of_another_region_finds_nothing(self, waiting) -> None:
        client = log_in(make_staff("supervisor", region=make_region("110000")))
        assert client.get(self.url(waiting)).status_code == 404
        assert waiting.case.number not in client.get(reverse("counter:queue")).content.decode()

    def test_a_clerk_has_no_queue(self, clerk, waiting) -> None:
        assert clerk.get(self.url(waiting)).status_code == 404


def test_an_agent_stands_on_the_case(people, serving) -> None:
    send(serving, BIND, who(people.child, "child", agent_name="高某山"))
    assert Case.objects.get().agent_name == "高某山"


def test_looking_writes_nothing_but_the_line_that_one_looked(people, serving, supervisor, waiting) -> None:
    grant = make_grant(people.holder.member, people.child, "child")
    tables = (Case, CaseEvent, SharingApplication, SharingGrant, IssuedDocument, SmsOutbox)
    before = [list(table.objects.order_by("pk").values()) for table in tables]
    for name in ("home", "member", "bind", "order", "statement", "journal"):
        assert serving.get(reverse(f"counter:{name}")).status_code in (200, 302)
    for name in ("case", "amend"):
        assert serving.get(reverse(f"counter:{name}", args=[waiting.case.public_id])).status_code == 200
    assert serving.post(reverse("counter:commitment", args=[waiting.case.public_id])).status_code == 200
    serving.get(reverse("counter:end", args=[grant.public_id]))
    supervisor.get(reverse("counter:review", args=[waiting.case.public_id]))
    assert [list(table.objects.order_by("pk").values()) for table in tables] == before


def test_the_desk_is_read_in_a_few_statements(people, serving, waiting, django_assert_max_num_queries) -> None:
    with django_assert_max_num_queries(60):
        assert serving.get(reverse("counter:member")).status_code == 200

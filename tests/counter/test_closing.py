"""Closing an account at the window, from the first look to the proof, and its second check by somebody else."""

import datetime
from decimal import Decimal

import pytest
from bs4 import BeautifulSoup
from django.urls import reverse

from accounts import clock
from accounts.models import AuditEvent, Region
from casework.models import Case, CaseEvent
from counter.views.desk import CLOSED_SHOWN
from documents.models import IssuedDocument
from settlements.models import Payee, Payout, PersonalAccount, Wallet, WithdrawalApplication
from tests.people import make_member, make_staff
from tests.support.ledger import open_account
from tests.support.pages import fields, log_in

RULE = {
    "valid_from": "2001-01-01",
    "valid_to": None,
    "reasons": ["emigrated", "gave_up", "died", "moved"],
    "working_days": 2,
    "ended_first": False,
    "blocks": ["bill", "transfer", "claim", "case"],
    "source": "test",
    "grade": "OWN",
}
CHOOSE = "/counter/closing/"
BEGIN = "/counter/closing/{}/"


def send(client, url: str, data: dict | None = None):
    return client.post(url, fields(client.get(url)) | (data or {}))


def day(one: datetime.date) -> dict:
    return {"since_year": one.year, "since_month": one.month, "since_day": one.day}


def soup(response) -> BeautifulSoup:
    return BeautifulSoup(response.content, "html.parser")


def fill_wallet(people) -> None:
    """88.00 in the holder's wallet; how it came there is no matter of these pages."""
    Wallet.objects.create(member=people.holder.member, region=people.region, balance=Decimal(88), opened_at=clock.now())


@pytest.fixture
def account(people) -> PersonalAccount:
    Region.objects.filter(pk=people.region.pk).update(data={"years": [[2018, 7, 1]], "withdrawal": [RULE]})
    # No base: nothing is credited ahead, so nothing goes back.
    people.holder.member.enrolments.update(base=None)
    return open_account(people.holder.member, people.region, 2026, "500", "1000")


@pytest.fixture
def begun(account, serving) -> WithdrawalApplication:
    data = day(clock.today()) | {"reason": "emigrated", "bank": "浦江银行", "bank_account": "6222 0200 0001 2345"}
    response = send(serving, BEGIN.format("withdrawal"), data | {"do": "check"})
    found = WithdrawalApplication.objects.get()
    assert response["Location"] == case_url(found)
    return found


@pytest.fixture
def waiting(serving, begun) -> WithdrawalApplication:
    send(serving, case_url(begun), {"do": "submit"})
    begun.refresh_from_db()
    assert begun.case.state == "review"
    return begun


def cases_of_record(client, which: str, asked: str = "") -> str:
    """The list of open or finished cases (`closed`) on the page of the record that is open."""
    heading = soup(client.get(f"/counter/member/{asked}")).find(id={"open": "h-cases", "closed": "h-closed"}[which])
    return heading.find_parent("section").get_text()


def case_url(found) -> str:
    return reverse("counter:case", args=[found.case.public_id])


class TestBegin:
    def test_the_checks_come_first(self, account, serving) -> None:
        page = soup(serving.get(CHOOSE))
        assert "1,500.00" in page.get_text()
        assert len(page.select(f'a[href="{BEGIN.format("withdrawal")}"]')) == 1

    def test_without_an_account_there_is_nothing_to_close(self, serving) -> None:
        page = soup(serving.get(CHOOSE))
        assert page.select(".portal-empty")
        assert serving.get(BEGIN.format("withdrawal"))["Location"] == CHOOSE
        assert serving.get(BEGIN.format("robbery")).status_code == 404

    def test_a_wallet_without_an_account_is_inherited_alone(self, people, serving, supervisor) -> None:
        Region.objects.filter(pk=people.region.pk).update(data={"years": [[2018, 7, 1]], "withdrawal": [RULE]})
        member, heir = people.holder.member, make_member(region=people.region, insurance="resident")
        assert not soup(serving.get(CHOOSE)).select(f'a[href="{BEGIN.format("inheritance")}"]')
        fill_wallet(people)
        told = soup(serving.get(CHOOSE)).get_text()
        assert "88.00" in told and "仅继承医保钱包" in told
        assert serving.get(BEGIN.format("withdrawal"))["Location"] == CHOOSE, "there is no account to be paid out"
        url = BEGIN.format("inheritance")
        data = fields(serving.get(url)) | day(clock.today()) | TestHeirs().heir(0, heir, percent="100")
        response = serving.post(url, data | {"heirs-TOTAL_FORMS": "1", "do": "check"})
        found = WithdrawalApplication.objects.get()
        assert (response["Location"], found.account, found.member) == (case_url(found), None, member)
        told = soup(serving.get(case_url(found))).get_text()
        assert "医保钱包所有人" in told and "88.00" in told
        send(serving, case_url(found), {"do": "submit"})
        review = reverse("counter:review", args=[found.case.public_id])
        page = soup(supervisor.get(review)).get_text()
        assert "88.00" in page and "账户随即注销" not in page
        # How it came to the wallet is no matter here, so the books have no entry for it; the money is followed elsewhere.
        send(supervisor, review, {"verdict": "approve"})
        found.refresh_from_db()
        assert (found.case.state, Payout.objects.get().amount) == ("granted", Decimal(88))
        assert "账户已注销" not in soup(serving.get(case_url(found))).get_text()

    def test_written_by_the_clerk_for_the_member(self, people, begun) -> None:
        payee = begun.payees.get()
        assert (payee.way, payee.percent, payee.name) == ("bank", Decimal(100), people.holder.member.name)
        assert (payee.bank_account, begun.case.state, begun.case.centre) == ("6222020000012345", "draft", people.centre)

    @pytest.mark.parametrize(
        ("wrong", "where"),
        [
            ({"bank_account": "12"}, "#id_bank_account_error"),
            ({"bank": ""}, "#id_bank_error"),
            ({"reason": ""}, "#id_reason_error"),
            ({"since_day": "31", "since_month": "2"}, "#id_since_error"),
            ({"since_year": "2100"}, "#id_since_error"),
        ],
    )
    def test_mistakes_are_told_where_they_are(self, account, serving, wrong, where) -> None:
        data = day(clock.today()) | {"reason": "emigrated", "bank": "浦江银行", "bank_account": "6222020000012345"}
        response = send(serving, BEGIN.format("withdrawal"), data | wrong | {"do": "check"})
        assert response.status_code == 422
        assert soup(response).select_one(where)
        assert not WithdrawalApplication.objects.exists()

    def test_what_stands_against_it_is_told(self, people, account, serving) -> None:
        Region.objects.filter(pk=people.region.pk).update(
            data={"years": [[2018, 7, 1]], "withdrawal": [RULE | {"ended_first": True}]}
        )
        data = day(clock.today()) | {"reason": "emigrated", "bank": "浦江银行", "bank_account": "6222020000012345"}
        response = send(serving, BEGIN.format("withdrawal"), data | {"do": "check"})
        assert response.status_code == 422
        assert len(soup(response).select(".portal-notice--bad li")) == 1

    def test_a_form_sent_twice_makes_one_case(self, account, serving) -> None:
        data = day(clock.today()) | {"reason": "emigrated", "bank": "浦江银行", "bank_account": "6222020000012345"}
        once = fields(serving.get(BEGIN.format("withdrawal"))) | data | {"do": "check"}
        first, second = (serving.post(BEGIN.format("withdrawal"), once) for _ in range(2))
        assert first["Location"] == second["Location"]
        assert WithdrawalApplication.objects.count() == 1


class TestHeirs:
    def test_mistakes_in_several_rows_stand_in_one_list_at_the_top(self, account, serving) -> None:
        data = {"reason": "died", "heirs-TOTAL_FORMS": "2", "heirs-INITIAL_FORMS": "0", "do": "check"}
        page = soup(send(serving, BEGIN.format("inheritance"), day(clock.today()) | data))
        (summary,) = page.select(".govuk-error-summary")
        told = [link.get_text() for link in summary.select("a")]
        assert {text[:5] for text in told if text.startswith("继承人")} == {"继承人 1", "继承人 2"}

    def heir(self, at: int, member, **more) -> dict:
        row = {
            "name": member.name,
            "id_number": member.id_number,
            "relation": "child",
            "percent": "50",
            "way": "bank",
            "bank": "浦江银行",
            "bank_account": "6222020000012345",
        } | more
        return {f"heirs-{at}-{name}": value for name, value in row.items()}

    def test_a_row_is_added_and_taken_away_by_sending_the_form(self, people, account, serving) -> None:
        url = BEGIN.format("inheritance")
        one = self.heir(0, people.child)
        response = send(serving, url, one | {"do": "add"})
        page = soup(response)
        assert response.status_code == 200, "nothing is complained about yet"
        assert page.select_one("#id_heirs-0-name")["value"] == people.child.name
        assert page.select_one("#id_heirs-1-name") and not page.select(".govuk-error-message")
        two = fields(response) | one | self.heir(1, make_member(region=people.region), name="赵某")
        dropped = soup(serving.post(url, two | {"do": "drop-0"}))
        assert dropped.select_one("#id_heirs-0-name")["value"] == "赵某"
        assert not dropped.select_one("#id_heirs-1-name")

    @pytest.mark.parametrize("odd", [{"do": "drop-²"}, {"heirs-TOTAL_FORMS": "x"}, {"heirs-TOTAL_FORMS": "9" * 5000}])
    def test_what_no_page_sends_is_a_mistake_and_no_error(self, account, serving, odd) -> None:
        response = send(serving, BEGIN.format("inheritance"), day(clock.today()) | {"do": "check"} | odd)
        assert response.status_code == 422

    def test_on_the_paper_brothers_of_one_name_sign_each_at_his_own_line(self, people, account, serving) -> None:
        url = BEGIN.format("inheritance")
        one, other = (make_member("汤一", region=people.region, insurance="resident") for _ in range(2))
        rows = self.heir(0, one) | self.heir(1, other) | {"heirs-TOTAL_FORMS": "2", "do": "check"}
        serving.post(url, fields(serving.get(url)) | day(clock.today()) | rows)
        case = WithdrawalApplication.objects.get().case
        page = soup(serving.post(reverse("counter:closing_form", args=[case.public_id])))
        lines = [line.get_text() for line in page.select("dt") if "汤一" in line.get_text()]
        assert len(lines) == len(set(lines)) == 2

    def test_two_heirs(self, people, account, serving) -> None:
        url = BEGIN.format("inheritance")
        other = make_member(region=people.region, insurance="resident")
        rows = self.heir(0, people.child) | self.heir(1, other, relation="parent")
        data = fields(serving.get(url)) | day(clock.today()) | rows | {"heirs-TOTAL_FORMS": "2", "do": "check"}
        response = serving.post(url, data)
        found = WithdrawalApplication.objects.get()
        assert response["Location"] == case_url(found)
        assert [(row.position, row.percent) for row in found.payees.all()] == [(1, 50), (2, 50)]
        page = soup(serving.get(case_url(found)))
        assert [cell.get_text() for cell in page.select("td.portal-money:last-child")] == ["750.00", "750.00"]
        assert people.child.id_number not in page.get_text()

    def test_what_the_wallet_holds_is_a_line_of_its_own(self, people, account, serving, supervisor) -> None:
        fill_wallet(people)
        url = BEGIN.format("inheritance")
        rows = self.heir(0, people.child, percent="100") | {"heirs-TOTAL_FORMS": "1", "do": "check"}
        serving.post(url, fields(serving.get(url)) | day(clock.today()) | rows)
        found = WithdrawalApplication.objects.get()
        before = " ".join(soup(serving.get(case_url(found))).get_text().split())
        assert "医保钱包余额（已计入）88.00" in before and "1,588.00" in before
        send(serving, case_url(found), {"do": "submit"})
        review = reverse("counter:review", args=[found.case.public_id])
        send(supervisor, review, {"verdict": "approve"})
        assert Payout.objects.get().amount == Decimal("1588.00")
        assert "其中医保钱包余额 88.00 元。" in soup(serving.get(case_url(found))).get_text()

    @pytest.mark.parametrize(
        ("wrong", "where"),
        [
            ({"percent": "120"}, "#id_heirs-0-percent_error"),
            ({"bank": ""}, "#id_heirs-0-bank_error"),
            ({"id_number": "310101"}, "#id_heirs-0-id_number_error"),
            ({"relation": ""}, "#id_heirs-0-relation_error"),
        ],
    )
    def test_mistakes_stand_in_the_row(self, people, account, serving, wrong, where) -> None:
        url = BEGIN.format("inheritance")
        data = fields(serving.get(url)) | day(clock.today()) | self.heir(0, people.child, **wrong) | {"do": "check"}
        response = serving.post(url, data)
        assert response.status_code == 422
        assert soup(response).select_one(where)

    def test_shares_that_are_no_whole(self, people, account, serving) -> None:
        url = BEGIN.format("inheritance")
        data = fields(serving.get(url)) | day(clock.today()) | self.heir(0, people.child) | {"do": "check"}
        response = serving.post(url, data)
        assert response.status_code == 422
        assert "50" in soup(response).select_one(".govuk-error-summary").get_text()
        assert not Payee.objects.exists()

    def test_no_heir(self, account, serving) -> None:
        send(serving, BEGIN.format("inheritance"), day(clock.today()) | {"no_heir": "on", "do": "check"})
        assert Payee.objects.get().way == "fund"


class TestTransferOut:
    def test_to_an_office_that_is_not_in_the_list(self, account, serving) -> None:
        url = BEGIN.format("transfer_out")
        short = day(clock.today()) | {"region": "elsewhere", "place": "", "do": "check"}
        assert soup(send(serving, url, short)).select_one("#id_place_error")
        send(serving, url, short | {"place": "某市医保中心"})
        assert (Payee.objects.get().way, Payee.objects.get().name) == ("region", "某市医保中心")

    def test_the_region_is_chosen_and_never_the_first_of_the_list(self, account, serving) -> None:
        url = BEGIN.format("transfer_out")
        assert soup(serving.get(url)).select_one("#id_region option").get("value") == ""
        unchosen = send(serving, url, day(clock.today()) | {"region": "", "place": "", "do": "check"})
        assert unchosen.status_code == 422 and soup(unchosen).select_one("#id_region_error")


class TestCase:
    def test_submitted_it_waits_and_the_receipt_can_be_had(self, people, serving, waiting) -> None:
        response = serving.post(reverse("counter:closing_paper", args=[waiting.case.public_id]), {"paper": "80mm"})
        assert response["Content-Type"] == "application/pdf"
        assert IssuedDocument.objects.get().subject == f"{waiting.case.number} 80mm"
        early = serving.post(reverse("counter:closing_paper", args=[waiting.case.public_id]), {"paper": "proof"})
        assert early["Location"] == case_url(waiting)
        assert IssuedDocument.objects.count() == 1

    def test_on_the_form_to_be_signed_those_who_sign_can_check_where_the_money_goes(
        self, people, serving, begun
    ) -> None:
        """Names and bank accounts in full, which is an act of its own; ID numbers by their ends, for heirs see each
        other's."""
        Payee.objects.update(name="沈清", bank_account="6222020000012345", id_number="310104199001011239")
        address = reverse("counter:closing_form", args=[begun.case.public_id])
        page = serving.post(address)
        text = soup(page).get_text()
        assert page.status_code == 200
        for written in (begun.case.number, people.holder.member.name, "沈清", "浦江银行 6222 0200 0001 2345"):
            assert written in text
        assert "310104199001011239" not in text and people.holder.member.id_number not in text
        seen = AuditEvent.objects.get(action="unmask")
        assert (seen.member_id, seen.target) == (people.holder.member_id, f"case {begun.case.number}")
        assert serving.get(address)["Location"] == case_url(begun)
        assert "6222 0200 0001 2345" not in soup(serving.get(case_url(begun))).get_text()

    def test_a_form_is_printed_with_the_record_open_and_while_it_is_to_be_signed(self, serving, waiting) -> None:
        address = reverse("counter:closing_form", args=[waiting.case.public_id])
        assert serving.post(address)["Location"] == case_url(waiting)
        serving.post(reverse("counter:close"))
        assert serving.post(address)["Location"] == "/counter/"
        assert not AuditEvent.objects.filter(action="unmask").exists()

    def test_changed_it_must_be_submitted_again(self, serving, waiting) -> None:
        url = reverse("counter:closing_amend", args=[waiting.case.public_id])
        send(serving, url, {"bank_account": "6222029999999999", "do": "check"})
        waiting.refresh_from_db()
        assert (waiting.case.state, waiting.payees.get().bank_account) == ("returned", "6222029999999999")

    def test_somebody_else_changed_it_meanwhile(self, serving, waiting) -> None:
        url = reverse("counter:closing_amend", args=[waiting.case.public_id])
        for version in ("0", "x", "", "9" * 30):
            data = fields(serving.get(url)) | {"do": "check", "version": version}
            assert serving.post(url, data).status_code == 422
        waiting.refresh_from_db()
        assert waiting.case.state == "review"

    def test_taken_back(self, serving, waiting) -> None:
        asked = serving.get(f"{case_url(waiting)}?ask=withdraw")
        serving.post(case_url(waiting), fields(asked) | {"do": "withdraw"})
        waiting.refresh_from_db()
        assert waiting.case.state == "withdrawn"

    def test_without_the_open_record_it_is_read_and_not_worked_on(self, people, serving, begun) -> None:
        data = fields(serving.get(case_url(begun))) | {"do": "submit"}
        serving.post(reverse("counter:close"))
        assert serving.get(case_url(begun)).status_code == 200
        assert serving.post(case_url(begun), data)["Location"] == "/counter/"
        begun.refresh_from_db()
        assert begun.case.state == "draft"

    def test_a_clerk_elsewhere_finds_nothing(self, begun) -> None:
        from tests.people import make_region

        other = log_in(make_staff("clerk", region=make_region("110000"), name="柜员己"))
        assert other.get(case_url(begun)).status_code == 404

    def test_it_stands_among_the_open_cases_of_the_record(self, serving, begun) -> None:
        assert begun.case.number in cases_of_record(serving, "open")

    def test_finished_it_is_found_again_by_whoever_opens_the_record(self, people, serving, supervisor, waiting) -> None:
        send(supervisor, reverse("counter:review", args=[waiting.case.public_id]), {"verdict": "approve"})
        assert waiting.case.number not in cases_of_record(serving, "open")
        colleague = log_in(make_staff("clerk", region=people.region, name="柜员庚"))
        send(colleague, "/counter/", {"number": people.holder.member.id_number, "reason": "sharing"})
        assert waiting.case.number in cases_of_record(colleague, "closed")
        proof = colleague.post(reverse("counter:closing_paper", args=[waiting.case.public_id]), {"paper": "proof"})
        assert proof["Content-Type"] == "application/pdf"

    def test_of_what_is_finished_the_latest_come_first_and_the_rest_when_asked_for(
        self, people, serving, begun
    ) -> None:
        numbers = [f"FERT22{at:02}" for at in range(CLOSED_SHOWN + 1)]
        for at, number in enumerate(numbers):
            closed_at = clock.now() - datetime.timedelta(days=at)
            Case.objects.create(
                number=number, kind="claim", region=people.region, applicant=people.holder.member,
                opened_at=closed_at, closed_at=closed_at, state="withdrawn",
            )  # fmt: skip
        page = cases_of_record(serving, "closed")
        assert [number in page for number in numbers] == [True] * CLOSED_SHOWN + [False]
        assert all(number in cases_of_record(serving, "closed", "?closed=all") for number in numbers)


class TestSecondCheck:
    def review_url(self, found) -> str:
        return reverse("counter:review", args=[found.case.public_id])

    def test_granted_it_is_paid_and_the_proof_printed(self, people, serving, supervisor, waiting) -> None:
        assert "1,500.00" in soup(supervisor.get(self.review_url(waiting))).get_text()
        response = send(supervisor, self.review_url(waiting), {"verdict": "approve"})
        assert response["Location"] == "/counter/queue/"
        assert Payout.objects.get().amount == Decimal("1500.00")
        proof = serving.post(reverse("counter:closing_paper", args=[waiting.case.public_id]), {"paper": "proof"})
        assert proof["Content-Type"] == "application/pdf"
        assert serving.get(CHOOSE).status_code == 200
        assert AuditEvent.objects.filter(action="read_case", member_id=people.holder.member_id).exists()

    def test_who_has_written_why_not_does_not_grant_by_a_slip(self, supervisor, waiting) -> None:
        page = send(supervisor, self.review_url(waiting), {"verdict": "approve", "reason": "账号看不清"})
        assert page.status_code == 422
        assert soup(page).select_one("#id_reason_error")
        assert "账号看不清" in soup(page).select_one("#id_reason").get_text()
        waiting.refresh_from_db()
        assert waiting.case.state == "review"

    @pytest.mark.parametrize(("verdict", "state"), [("return", "returned"), ("refuse", "refused")])
    def test_not_as_it_is(self, supervisor, waiting, verdict, state) -> None:
        without = send(supervisor, self.review_url(waiting), {"verdict": verdict})
        assert soup(without).select_one("#id_reason_error")
        send(supervisor, self.review_url(waiting), {"verdict": verdict, "reason": "账号看不清"})
        waiting.refresh_from_db()
        assert (waiting.case.state, waiting.case.reason) == (state, "账号看不清")
        assert not Payout.objects.exists()

    def test_the_member_follows_it(self, people, supervisor, waiting) -> None:
        member = log_in(people.holder)
        url = reverse("settlements:closing", args=[waiting.case.public_id])
        assert url in member.get("/cases/").content.decode()
        assert waiting.case.number in member.get(url).content.decode()
        assert log_in(people.stranger).get(url).status_code == 404
        send(supervisor, self.review_url(waiting), {"verdict": "approve"})
        after = soup(member.get(url)).get_text()
        assert "1,500.00" in after and "6222020000012345" not in after
        assert member.get("/").status_code == member.get("/account/statement/").status_code == 200
        account = soup(member.get("/account/")).get_text()
        assert "1,500.00" in account, "what it did before stays readable"

    def test_the_queue_leads_to_it(self, supervisor, waiting) -> None:
        assert self.review_url(waiting) in supervisor.get("/counter/queue/").content.decode()
        assert CaseEvent.objects.filter(case=waiting.case, verb="submit").exists()

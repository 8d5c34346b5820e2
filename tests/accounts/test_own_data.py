"""A member takes all that is kept about him, as one file (D8; 个人信息保护法, article 45)."""

import csv
import io
import zipfile
from decimal import Decimal

import pytest
from bs4 import BeautifulSoup
from django.apps import apps
from django.core.exceptions import ImproperlyConfigured, PermissionDenied
from django.test import Client
from django.urls import reverse
from django.utils import translation

from accounts import clock, own_data
from accounts.actions import messages
from accounts.actions.own_data import write_copy
from accounts.models import AuditEvent, Member, User
from accounts.tables import csv_lines, write_csv
from casework.models import CaseEvent
from settlements.models import Claim, WalletTransfer
from tests.people import PASSWORD
from tests.settlements.scene import bill, make_scene
from tests.support.pages import fields, log_in

PAGE = "/me/data/"


def opened(content: bytes) -> dict[str, str]:
    """Title -> text of each file, without its number and ending."""
    archive = zipfile.ZipFile(io.BytesIO(content))
    assert archive.testzip() is None
    return {
        info.filename.rpartition(".")[0].lstrip("0123456789 "): archive.read(info).decode("utf-8-sig")
        for info in archive.infolist()
    }


def taken(user: User, language: str = "en") -> dict[str, str]:
    file = io.BytesIO()
    with translation.override(language):
        write_copy(by=user, at=clock.now(), into=file)
    return opened(file.getvalue())


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def test_the_file_holds_what_the_pages_show_and_more(world, clients: dict[str, Client]) -> None:
    people, application, grant, settled, paper = world
    member, holder = clients["member"], people.holder
    clients["clerk"].post("/counter/", fields(clients["clerk"].get("/counter/")) | {
        "number": holder.member.id_number, "reason": "balance"
    })  # fmt: skip
    page = member.get(PAGE, headers={"accept-language": "en"})
    listed = [row.text for row in BeautifulSoup(page.content, "html.parser").select(".portal-short-list > li")]
    answer = member.post(PAGE, headers={"accept-language": "en"})
    assert answer.streaming and answer["Content-Type"] == "application/zip"
    assert answer["Content-Disposition"] == f'attachment; filename="my-data-{clock.today()}.zip"'
    told = opened(b"".join(answer.streaming_content))
    assert [*told][:-1] == listed and all(name in told["Read me"] for name in listed)

    person = {row["What"]: row["As it is kept"].strip() for row in rows(told["Who you are"])}
    facts = (holder.member.name, holder.member.id_number, holder.member.card_number, holder.phone)
    assert tuple(person[what] for what in (
        "Name", "ID number", "Social security card number", "Telephone of the login"
    )) == facts  # fmt: skip
    assert settled.number in [row["Number of the bill"] for row in rows(told["Your bills"])]
    assert settled.number in [row["Number of the bill"] for row in rows(told["Movements of the accounts"])]
    [shared] = rows(told["Family sharing"])
    assert (shared["Which way"], shared["Relative"]) == ("may use my account", "Daughter 方*禾")
    assert application.case.number in [row["Case number"] for row in rows(told["Cases"])]
    assert application.case.number in [row["Case number"] for row in rows(told["Steps of your cases"])]
    claim = Claim.objects.get()
    [claimed] = rows(told["Bills paid in cash"])
    assert (claimed["Number of the invoice"], claimed["Bank account"]) == ("\t00112233", claim.bank_account)
    assert [row["Number"] for row in rows(told["Wallet transfers"])] == [WalletTransfer.objects.get().number]
    assert len(rows(told["Premiums"])) == len(rows(told["Premiums ordered for a month's end"])) == 1
    assert paper.number[:4] in told["Statements and receipts"]
    assert "opened the record" in told["Who looked at your record"] and rows(told["Messages"])
    balance = rows(told["Accounts"])[0]
    assert Decimal(balance["Earlier years' balance"]) == holder.member.personal_accounts.get().historical

    line = AuditEvent.objects.get(action="own_data_copied")
    assert (line.actor_id, line.member_id) == (holder.pk, holder.member_id)
    assert line.details == {"tables": len(listed), "rows": sum(len(rows(text)) for text in [*told.values()][:-1])}


def test_a_consent_on_paper_is_told_in_words(world) -> None:
    people, application = world[:2]
    CaseEvent.objects.create(
        case=application.case, at=clock.now(), verb="consent", to_state="granted", actor_role="clerk", note="paper"
    )
    told = rows(taken(people.holder)["Steps of your cases"])
    assert [row["Note"] for row in told if row["Case number"] == application.case.number][-1] == "on paper"


def test_of_others_it_says_what_the_pages_say(world) -> None:
    people = world[0]
    for user in (people.holder, people.spouse):
        told = "\n".join(taken(user).values())
        others = Member.objects.exclude(pk=user.member_id)
        secrets = [text for one in others for text in (one.id_number, one.card_number, one.phone, one.name) if text]
        assert len(secrets) == 9 and [text for text in secrets if text in told] == []


def test_of_a_relative_s_bill_there_is_the_own_part_alone(db) -> None:
    scene = make_scene()
    made = bill(scene, scene.father.member)
    payer = taken(scene.daughter)
    [leg] = rows(payer["Paid for relatives"])
    paid = made.payers.get(grant__isnull=False)
    assert (Decimal(leg["Your part"]), leg["Institution"]) == (paid.current + paid.historical, scene.institution.name)
    assert leg["Relative"] == "Father 沈*梁" and rows(payer["Your bills"]) == []
    patient = taken(scene.father)
    [own] = rows(patient["Your bills"])
    assert Decimal(own["Whole bill"]) == made.total
    [helper] = rows(patient["Relatives who paid for you"])
    assert (helper["Relative"], Decimal(helper["Amount"])) == ("Daughter 沈*宁", made.shared)


def test_every_row_fits_its_heads_in_both_languages(world, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(own_data, "CHUNK", 2)
    user, at = world[0].holder, clock.now()
    empty = set()
    for language in ("zh-hans", "en"):
        with translation.override(language):
            for table in own_data.tables():
                found = list(table.rows(user, at))
                assert {len(row) for row in found} <= {len(table.heads)}, table.title
                empty |= {str(table.title)} if language == "en" and not found else set()
                assert len({str(head) for head in table.heads}) == len(table.heads), table.title
    assert not empty & {"Who you are", "How you are insured", "Accounts", "Your bills", "Cases", "Premiums", "Messages"}


def test_a_chinese_reader_gets_chinese_files(world) -> None:
    told = taken(world[0].holder, "zh-hans")
    assert "您的基本信息" in told and "个人信息保护法" in told["说明"]


def test_the_password_itself_is_asked_for(world) -> None:
    holder = world[0].holder
    stale = log_in(holder, fresh=False)
    for answer in (stale.get(PAGE), stale.post(PAGE)):
        assert answer.status_code == 302 and answer["Location"].startswith("/prove/")
    by_text = log_in(holder)
    session = by_text.session
    session["account_authentication_methods"] = [
        method | {"method": "code"} for method in session["account_authentication_methods"]
    ]
    session.save()
    assert by_text.get(PAGE).status_code == by_text.post(PAGE).status_code == 302
    assert not AuditEvent.objects.filter(action="own_data_copied").exists()


def test_after_the_proof_the_file_comes_by_itself(world) -> None:
    stale = log_in(world[0].holder, fresh=False)
    prove = stale.post(PAGE)["Location"]
    answer = stale.post(prove, {"password": PASSWORD})
    assert answer["Content-Type"] == "application/zip" and opened(b"".join(answer.streaming_content))


def test_five_times_an_hour(world, clients: dict[str, Client]) -> None:
    member = clients["member"]
    assert {member.post(PAGE).status_code for _ in range(5)} == {200}
    refused = member.post(PAGE, headers={"accept-language": "en"})
    assert refused.status_code == 429 and "within an hour" in refused.text
    assert AuditEvent.objects.filter(action="own_data_copied").count() == 5
    assert member.get(PAGE).status_code == 200


def test_staff_have_no_such_file(people) -> None:
    with pytest.raises(PermissionDenied):
        write_copy(by=people.clerk, at=clock.now(), into=io.BytesIO())


def test_a_copy_that_breaks_off_leaves_no_line(world, monkeypatch: pytest.MonkeyPatch) -> None:
    def breaks(*_given: object) -> None:
        raise RuntimeError

    monkeypatch.setattr("accounts.actions.own_data._readme", breaks)
    with pytest.raises(RuntimeError):
        write_copy(by=world[0].holder, at=clock.now(), into=io.BytesIO())
    assert not AuditEvent.objects.filter(action="own_data_copied").exists()


def test_what_a_message_says_runs_in_no_spreadsheet(people) -> None:
    user = people.holder
    user.member.name = "=HYPERLINK(1)"
    user.member.save()
    messages.notify(member=user.member, kind="phone_changed", params={"phone": "x"}, at=clock.now())
    assert "'=HYPERLINK(1)" in taken(user)["Who you are"]


def test_line_by_line_is_the_same_as_at_once() -> None:
    table = [["a", "=1"], [1, None]]
    assert "".join(csv_lines(table)) == write_csv(table) == "\ufeffa,'=1\r\n1,None\r\n"


# Tables about a person that are in the file, and those that are not, each for its reason.
IN_THE_FILE = {
    "accounts.Enrolment", "accounts.Message", "accounts.User", "casework.Case", "documents.IssuedDocument",
    "family.DeductionOrder", "family.SharingGrant", "gateway.Visit", "settlements.Claim", "settlements.Contribution",
    "settlements.Payee", "settlements.PersonalAccount",
    "settlements.PremiumOrder", "settlements.PremiumPayment", "settlements.Reimbursement",
    "settlements.Settlement", "settlements.SettlementPayer", "settlements.Wallet", "settlements.WalletTransfer",
}  # fmt: skip
NOT_IN_IT = {
    "family.SharingApplication": "its case is in it, and the grant that came of it",
    "gateway.Stay": "its visit is in it; beside that it names who accompanied the patient",
    "settlements.Recalculation": "its case is in it, and the bills that it made",
    "settlements.TrialPerson": "what a draft of rules, which may never hold, would have changed",
    "settlements.Usage": "counters, the sums of the bills",
}


def test_no_table_about_a_person_is_forgotten() -> None:
    fields = [field for model in apps.get_models() for field in model._meta.concrete_fields if field.is_relation]
    about = {field.model._meta.label for field in fields if field.related_model is Member}
    assert about == IN_THE_FILE | set(NOT_IN_IT)


def test_no_table_takes_the_place_of_another(monkeypatch: pytest.MonkeyPatch) -> None:
    """An app that is started with two tables at one place would leave one of them out of everybody's file."""
    monkeypatch.setattr(own_data, "_tables", {})
    first, second = (own_data.Table(order=10, title=title, heads=(), rows=lambda *_: ()) for title in ("One", "Two"))
    own_data.register(first)
    with pytest.raises(ImproperlyConfigured, match="“Two” and “One”"):
        own_data.register(second)
    assert own_data.tables() == [first]


def test_the_page_is_found_from_one_s_own_account(clients: dict[str, Client]) -> None:
    assert reverse("accounts:own_data") in clients["member"].get("/me/").text
    assert reverse("accounts:own_data") not in clients["clerk"].get("/me/").text

"""Every page on a narrow screen: a citizen's in both languages and in large print. What is wrong is told all at once."""

import datetime
import json
from dataclasses import dataclass, replace
from decimal import Decimal
from importlib import import_module
from uuid import UUID

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts import clock
from accounts.actions import audit, messages
from accounts.enums import IdentityLevel
from accounts.models import User
from casework.actions import cases
from casework.models import Case
from documents.models import IssuedDocument
from family.actions import invitations, sharing
from family.models import SharingApplication
from family.queries import commitment_on
from gateway.actions import keys
from settlements.actions import bill_reversals, claims, premiums, recalculation, statements, wallet
from settlements.models import Claim, Payee, Recalculation, Settlement, WithdrawalApplication
from tests.e2e.eyes import Window
from tests.family.support import make_rules
from tests.people import make_centre, make_login, make_member, make_staff, person
from tests.settlements.scene import Scene, bill, open_with, share, undo
from tests.support.pages import fields, log_in

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

DAY = datetime.timedelta(days=1)
NOBODY, DAUGHTER, FATHER, RESIDENT, NEWCOMER = "nobody", "daughter", "father", "resident", "newcomer"

# Who sees which page, and of which object. `asked` waits for the father's sister, `offered` for the father himself.
PAGES: list[tuple[str, str, str]] = [
    (NOBODY, "home", ""),
    (NOBODY, "account_login", ""),
    (NOBODY, "accounts:login_by_text", ""),
    (NOBODY, "accounts:forgotten", ""),
    (NOBODY, "accounts:claim", ""),
    (NOBODY, "accounts:demo", ""),
    (NOBODY, "casework:bring", ""),
    (NOBODY, "documents:check", ""),
    (NOBODY, "documents:check_number", "paper"),
    (NOBODY, "gateway:docs", ""),
    (NOBODY, "gateway:docs_errors", ""),
    (NOBODY, "gateway:docs_signing", ""),
    (NOBODY, "gateway:docs_codes", ""),
    (NOBODY, "gateway:docs_transaction", "transaction"),
    (NOBODY, "till:start", ""),
    (NOBODY, "till:patients", "till"),
    (NEWCOMER, "home", ""),
    (NEWCOMER, "accounts:prove_identity", ""),
    (RESIDENT, "home", ""),
    (RESIDENT, "settlements:account", ""),
    (RESIDENT, "settlements:statement", ""),
    (RESIDENT, "settlements:bills", ""),
    (RESIDENT, "family:home", ""),
    (RESIDENT, "casework:mine", ""),
    (RESIDENT, "accounts:inbox", ""),
    (RESIDENT, "accounts:seen", ""),
    (DAUGHTER, "home", ""),
    (DAUGHTER, "accounts:me", ""),
    (DAUGHTER, "accounts:own_data", ""),
    (DAUGHTER, "accounts:password", ""),
    (DAUGHTER, "accounts:phone", ""),
    (DAUGHTER, "accounts:sessions", ""),
    (DAUGHTER, "accounts:seen", ""),
    (DAUGHTER, "accounts:inbox", ""),
    (DAUGHTER, "accounts:prove_by_text", ""),
    (DAUGHTER, "account_reauthenticate", ""),
    (DAUGHTER, "account_logout", ""),
    (DAUGHTER, "settlements:account", ""),
    (DAUGHTER, "settlements:statement", ""),
    (DAUGHTER, "settlements:bills", ""),
    (DAUGHTER, "settlements:bill", "fathers bill"),
    (DAUGHTER, "settlements:bill", "own bill"),
    (DAUGHTER, "settlements:premiums", ""),
    (DAUGHTER, "settlements:premium_group", "premium person"),
    (DAUGHTER, "settlements:premium_check", "premium person"),
    (DAUGHTER, "settlements:premium", "premium"),
    (DAUGHTER, "settlements:premium_refund", "premium"),
    (DAUGHTER, "settlements:premium_withdraw", "premium order"),
    (DAUGHTER, "settlements:wallet", ""),
    (DAUGHTER, "settlements:wallet_moves", ""),
    (DAUGHTER, "settlements:wallet_places", ""),
    (DAUGHTER, "settlements:wallet_send", ""),
    (DAUGHTER, "settlements:transfer", "transfer"),
    (FATHER, "settlements:wallet", ""),
    (FATHER, "settlements:transfer", "transfer"),
    (DAUGHTER, "casework:mine", ""),
    (DAUGHTER, "settlements:closing", "closing"),
    (DAUGHTER, "family:home", ""),
    (DAUGHTER, "family:bind", ""),
    (DAUGHTER, "family:bind_result", ""),
    (DAUGHTER, "family:bind_terms", ""),
    (DAUGHTER, "family:application", "draft"),
    (DAUGHTER, "family:check", "draft"),
    (DAUGHTER, "family:amend", "draft"),
    (DAUGHTER, "family:withdraw", "asked"),
    (DAUGHTER, "family:submitted", "asked"),
    (DAUGHTER, "family:application", "asked"),
    (DAUGHTER, "family:order", ""),
    (DAUGHTER, "family:grant", "grant"),
    (DAUGHTER, "family:adjust", "grant"),
    (DAUGHTER, "family:pause", "grant"),
    (DAUGHTER, "family:end", "grant"),
    (FATHER, "home", ""),
    (FATHER, "settlements:account", ""),
    (FATHER, "settlements:bills", ""),
    (FATHER, "settlements:bill", "fathers bill"),
    (FATHER, "settlements:bill", "reversed bill"),
    (FATHER, "family:home", ""),
    (FATHER, "family:order", ""),
    (FATHER, "family:grant", "grant"),
    (FATHER, "family:end", "grant"),
    (FATHER, "family:invitation", "offered"),
    (FATHER, "settlements:claim_new", ""),
    (FATHER, "settlements:claim", "claim"),
    (FATHER, "settlements:claim", "returned claim"),
    (FATHER, "settlements:claim_amend", "returned claim"),
    (FATHER, "settlements:claim_withdraw", "claim"),
    (FATHER, "settlements:recalculation", "recalculation"),
    (FATHER, "settlements:bill", "undone bill"),
    (FATHER, "settlements:estimate", ""),
    (FATHER, "settlements:catalogue", ""),
    (RESIDENT, "settlements:estimate", ""),
    (RESIDENT, "settlements:why", ""),
    (FATHER, "settlements:why", ""),
    (DAUGHTER, "settlements:why", ""),
]

CLERK, SUPERVISOR, ADMINISTRATOR = "clerk", "supervisor", "administrator"
# `draft`, `asked` and `checked` are here the case at its three stages at the window.
DESK: list[tuple[str, str, str]] = [
    (CLERK, "counter:home", ""),
    (CLERK, "counter:member", ""),
    (CLERK, "counter:person", ""),
    (CLERK, "counter:bind", ""),
    (CLERK, "counter:order", ""),
    (CLERK, "counter:notice", "sharing"),
    (CLERK, "counter:statement", ""),
    (CLERK, "counter:journal", ""),
    (CLERK, "counter:case", "draft"),
    (CLERK, "counter:amend", "draft"),
    (CLERK, "counter:case", "asked"),
    (CLERK, "counter:case", "checked"),
    (CLERK, "counter:end", "grant"),
    (CLERK, "counter:terms", "grant"),
    (CLERK, "counter:closing", ""),
    (CLERK, "counter:closing_begin", "inheritance"),
    (CLERK, "counter:closing_begin", "transfer_out"),
    (CLERK, "counter:case", "closing"),
    (CLERK, "accounts:me", ""),
    (CLERK, "counter:claim", ""),
    (CLERK, "counter:catalogue", ""),
    (CLERK, "counter:recalculate", ""),
    (CLERK, "counter:bill", "settled anew"),
    (CLERK, "counter:case", "undone"),
    (CLERK, "counter:case", "claim"),
    (CLERK, "counter:premiums", ""),
    (CLERK, "counter:premium_pay", "premium person"),
    (CLERK, "counter:premium", "premium"),
    (CLERK, "counter:wallet", ""),
    (CLERK, "counter:wallet_pays", ""),
    (CLERK, "counter:wallet_send", ""),
    (CLERK, "counter:transfer", "transfer"),
    (SUPERVISOR, "counter:review", "claim"),
    (SUPERVISOR, "counter:review", "undone"),
    (SUPERVISOR, "counter:payments", ""),
    (SUPERVISOR, "counter:queue", ""),
    (SUPERVISOR, "counter:review", "checked"),
    (SUPERVISOR, "counter:review", "closing"),
    (ADMINISTRATOR, "admin:index", ""),
    (ADMINISTRATOR, "admin:settlements_rolloverrun_changelist", ""),
    (ADMINISTRATOR, "admin:settlements_rolloverrun_add", ""),
    (ADMINISTRATOR, "admin:settlements_contributionfile_changelist", ""),
    (ADMINISTRATOR, "admin:settlements_contributionfile_add", ""),
    (ADMINISTRATOR, "admin:settlements_creditrun_changelist", ""),
    (ADMINISTRATOR, "admin:settlements_creditrun_add", ""),
    (ADMINISTRATOR, "admin:settlements_cataloguefile_changelist", ""),
    (ADMINISTRATOR, "admin:settlements_cataloguefile_add", ""),
    (ADMINISTRATOR, "admin:settlements_ruledraft_changelist", ""),
    (ADMINISTRATOR, "admin:settlements_ruledraft_add", ""),
    (ADMINISTRATOR, "admin:gateway_gatewaymessage_today", ""),
    (ADMINISTRATOR, "admin:gateway_gatewaymessage_changelist", ""),
    (ADMINISTRATOR, "admin:gateway_institutionsettings_changelist", ""),
    (ADMINISTRATOR, "admin:gateway_signin_changelist", ""),
    (ADMINISTRATOR, "admin:gateway_difference_board", ""),
    (ADMINISTRATOR, "admin:gateway_difference_changelist", ""),
    (ADMINISTRATOR, "admin:gateway_difference_clearing", ""),
    (ADMINISTRATOR, "admin:gateway_reconciliationday_changelist", ""),
]
# Led to from a page above, in the journeys of the other files; or no page of a citizen at all.
COMBINED = {"family:home", "family:order", "family:grant"}
ELSEWHERE = {
    "accounts:login_by_text_code",
    "accounts:forgotten_code",
    "accounts:forgotten_new",
    "accounts:claim_code",
    "accounts:claim_password",
    "accounts:phone_code",
    "accounts:identity_done",
    "accounts:enrol_second_factor",
    "accounts:renew_password",
    "accounts:inbox_read_all",
    "settlements:claim_check",
    "settlements:reversal",
    "settlements:statement_file",
    "settlements:statement_copy",
    "settlements:transfer_accept",
    "settlements:wallet_check",
    "settlements:wallet_open",
    "settlements:wallet_pays",
}


@dataclass
class World:
    """The scene with everything that the pages above can show."""

    scene: Scene
    objects: dict[str, UUID | str]
    clients: dict[str, Client | None]


@pytest.fixture
def world(scene: Scene) -> World:
    make_rules(scene.region, review="window")
    brother = person("沈某川", datetime.date(1987, 4, 2), sex="M", region=scene.region)
    sister = person("沈某芬", datetime.date(1961, 9, 9), region=scene.region)
    resident = person("钱某芬", datetime.date(1991, 9, 9), region=scene.region, insurance="resident")
    open_with(brother.member, scene.region, scene.on - 40 * DAY, "0.00", "800.00", True)
    share(brother.member, scene.father.member, "parent", scene.region, scene.on - 30 * DAY, limit=None)
    newcomer = make_login(make_member("赵某", region=scene.region), level=IdentityLevel.REGISTERED)
    third = person("沈某一", datetime.date(1990, 4, 2), sex="M", region=scene.region)
    open_with(third.member, scene.region, scene.on - 40 * DAY, "10.00", "20.00", True)

    # First, while his deductible is not used up: else the reversal of a bill would change none.
    anew = _settled_anew(scene, scene.father, "100.00")
    fathers, own = bill(scene), bill(scene, scene.daughter, in_scope="300.00")
    undone = undo(scene, bill(scene, kind="pharmacy", in_scope="90.00"))
    draft = sharing.draft(
        grantor=scene.daughter.member,
        beneficiary=resident.member,
        relation="sibling",
        by=scene.daughter,
        at=clock.now(),
    )
    asked = _asked(scene.daughter, sister, "sibling")
    offered = _asked(third, scene.father, "parent")
    paper, _pdf = statements.issue_statement(
        account=scene.account, start=scene.on - 30 * DAY, end=scene.on, by=scene.daughter, at=clock.now()
    )
    _looked_at(scene)
    return World(
        scene,
        {"": "", "transaction": "2207", "till": _till(scene)}
        | _names(fathers=fathers, own=own, undone=undone, draft=draft, asked=asked, offered=offered, paper=paper)
        | _paying(scene)
        | {"grant": scene.grant.public_id, "closing": _closing(scene)}
        | _claims(scene)
        | anew,
        {
            NOBODY: None,
            NEWCOMER: log_in(newcomer),
            RESIDENT: log_in(resident),
            DAUGHTER: _binding(log_in(scene.daughter), scene.stranger),
            FATHER: log_in(scene.father),
        },
    )


def _till(scene: Scene) -> str:
    """The code of an institution that the till of the demo can play."""
    keys.issue(institution=scene.institution, by=None, at=clock.now() - DAY)
    return scene.institution.code


def _names(
    *,
    fathers: Settlement,
    own: Settlement,
    undone: Settlement,
    draft: SharingApplication,
    asked: SharingApplication,
    offered: SharingApplication,
    paper: IssuedDocument,
) -> dict[str, UUID | str]:
    return {
        "fathers bill": fathers.public_id,
        "own bill": own.public_id,
        "reversed bill": undone.public_id,
        "draft": draft.case.public_id,
        "asked": asked.case.public_id,
        "offered": offered.case.public_id,
        "paper": paper.number,
    }


def _asked(grantor, beneficiary, relation: str) -> SharingApplication:
    application = sharing.apply(
        grantor=grantor.member,
        beneficiary=beneficiary.member,
        relation=relation,
        by=grantor,
        at=clock.now(),
        commitment=commitment_on(clock.today()),
    )
    assert application.case.state == "consent"
    return application


def _claim(scene: Scene, invoice: str) -> Claim:
    asked = claims.PaidBill(
        institution=scene.institution,
        service_on=scene.on,
        kind="outpatient",
        in_scope=Decimal(f"2{invoice[-3:]}"),
        pre_self_pay=Decimal(0),
        self_paid=Decimal(20),
        invoice_number=invoice,
        bank="浦江银行",
        bank_account="6222020000012345",
    )
    return claims.submit_claim(patient=scene.father.member, asked=asked, by=scene.father, at=clock.now())


def _claims(scene: Scene) -> dict[str, UUID]:
    """The father's bills paid in cash, one of them returned, and a year that is to be settled anew."""
    waits, returned = _claim(scene, "00112233"), _claim(scene, "00112244")
    supervisor = make_staff("supervisor", region=scene.region, name="复核员丁")
    cases.move(
        case=returned.case, verb="return", by=supervisor, role="supervisor", at=clock.now(), note="金额与发票不符"
    )
    case = cases.open_case(
        kind="recalculation", applicant=scene.father.member, region=scene.region, by=None, role="system", at=clock.now()
    )
    Recalculation.objects.create(case=case, member=scene.father.member, benefit_year=2026)
    return {
        "claim": waits.case.public_id,
        "returned claim": returned.case.public_id,
        "recalculation": case.public_id,
    }


def _settled_anew(scene: Scene, patient: User, first: str) -> dict[str, UUID]:
    """Two bills of which more is cash since they were settled anew; the reversal of one waits for the second check.

    `first`: yuan of the one before; the other has to have a part of the deductible, or of the current that pays before it.
    """
    filling = bill(scene, patient, in_scope="200.00", use_account=False, use_family=False)
    again, other = bill(scene, patient, in_scope=first), bill(scene, patient, in_scope="1900.00")
    undo(scene, filling)
    clerk, supervisor = (make_staff(role, region=scene.region) for role in ("clerk", "supervisor"))
    who = {"member": patient.member, "region_id": scene.region.pk, "year": again.counted_year}
    seen = recalculation.preview(**who, on=scene.on).as_data()
    where = {"bank": "浦江银行", "bank_account": "6222020000012345"}
    anew = recalculation.request_recalculation(**who, **where, seen=seen, by=clerk, at=clock.now())
    cases.decide(case=anew.case, verb="approve", by=supervisor, at=clock.now())
    asked = bill_reversals.request_reversal(bill=other, reason="药品已退回", by=clerk, at=clock.now(), **where)
    return {"settled anew": again.public_id, "undone": asked.case.public_id, "undone bill": other.last.public_id}


def _paying(scene: Scene) -> dict[str, UUID]:
    """A premium paid, one ordered, one to pay, and a transfer to the father on its way."""
    member, on = scene.daughter.member, scene.on
    child, other = (
        make_member(name, datetime.date(2018, 5, 20), region=scene.region, insurance="resident")
        for name in ("沈某禾", "沈某苗")
    )
    for each in (child, other):
        share(member, each, "child", scene.region, on - 9 * DAY)
    due = premiums.Premium(amount=Decimal(400), year=on.year + 1, benefit_from=on + 30 * DAY)
    paid = premiums.pay(payer=member, insured=child, premium=due, on=on, key="crawl", by=scene.daughter)
    later = replace(due, year=on.year + 2)
    ordered = premiums.order(payer=member, insured=child, premium=later, at=clock.now(), by=scene.daughter)
    noon = timezone.localtime(clock.now()).replace(hour=12)
    wallet.open_wallet(member=member, by=scene.daughter, at=noon)
    sent = wallet.transfer(
        sender=member, receiver=scene.father.member, amount=Decimal(100), at=noon, key="crawl", relation="parent"
    )
    return {
        "premium": paid.public_id,
        "premium order": ordered.public_id,
        "premium person": other.public_id,
        "transfer": sent.public_id,
    }


def _closing(scene: Scene) -> UUID:
    """The daughter's account is to be inherited by two, and waits for the second check."""
    case = cases.open_case(
        kind="inheritance", applicant=scene.daughter.member, region=scene.region, by=None, role="system", at=clock.now()
    )
    asked = WithdrawalApplication.objects.create(case=case, account=scene.account, reason="died", since=scene.on)
    Payee.objects.bulk_create(
        Payee(
            application=asked,
            position=position,
            way="bank",
            percent=50,
            name=name,
            relation="child",
            bank="浦江银行",
            bank_account="6222020000012345",
        )
        for position, name in enumerate(("沈某一", "沈某二"), start=1)
    )
    return cases.move(case=case, verb="submit", by=None, role="system", at=clock.now()).public_id


def _looked_at(scene: Scene) -> None:
    """A clerk has looked at the daughter's record, and she has messages."""
    clerk = make_staff("clerk", region=scene.region, name="柜员甲")
    audit.record(
        action="open_member", by=clerk, at=clock.now(), member=scene.daughter.member, target="member", reason="家庭共济"
    )
    messages.notify(member=scene.daughter.member, kind="welcome", params={}, at=clock.now())


def _binding(client: Client, relative) -> Client:
    """In the middle of binding: the dry run has been asked and is passed."""
    url = reverse("family:bind")
    answers = {"name": relative.member.name, "id_number": relative.member.id_number, "relation": "sibling"}
    response = client.post(url, fields(client.get(url)) | answers)
    assert response.status_code == 302
    return client


def test_no_page_of_a_citizen_is_left_out() -> None:
    modules = {"accounts": "accounts.urls", "documents": "documents.urls", "settlements": "settlements.urls"}
    modules |= {"casework": "casework.urls", "family": "family.urls"}
    names = {f"{app}:{page.name}" for app, urls in modules.items() for page in import_module(urls).urlpatterns}
    assert names - ELSEWHERE == {name for _who, name, _what in PAGES if name.split(":")[0] in modules} - COMBINED


def crawl(window: Window, pages: list[tuple[str, str]], elder: bool = False) -> dict[str, list[str]]:
    """What is wrong with each page, by name and address; empty if nothing is."""
    faults = {}
    for name, path in pages:
        window.go(path)
        found = window.faults()
        if not window.page.url.endswith(path):
            found.append(f"led away to {window.page.url}")
        if (window.page.locator("html.elder").count() == 1) != elder:
            found.append("not in the print that was asked for")
        if found:
            faults[f"{name} {path}"] = found
    return faults


def pages_of(who: str, table: list[tuple[str, str, str]], objects: dict[str, UUID | str]) -> list[tuple[str, str]]:
    rows = [(name, what) for reader, name, what in table if reader == who]
    return [(name, reverse(name, args=[objects[what]] if what else [])) for name, what in rows]


@pytest.mark.parametrize(
    ("language", "elder"), [("zh-hans", False), ("en", False), ("zh-hans", True)], ids=["chinese", "english", "elder"]
)
def test_every_page_of_a_citizen(visit, world, language, elder) -> None:
    faults = {}
    for who in world.clients:
        window = visit(world.clients[who], language=language, elder=elder)
        faults |= crawl(window, pages_of(who, PAGES, world.objects), elder)
    assert faults == {}, json.dumps(faults, ensure_ascii=False, indent=1)


@pytest.fixture
def desk(scene: Scene) -> World:
    """A clerk who serves the daughter, with a case at each stage."""
    make_rules(scene.region, review="window")
    region, centre = scene.region, make_centre(scene.region)
    staff = {
        who: make_staff(role, region=region, centre=centre if role != "region_admin" else None, name=name)
        for who, role, name in (
            (CLERK, "clerk", "柜员甲"),
            (SUPERVISOR, "supervisor", "复核员乙"),
            (ADMINISTRATOR, "region_admin", "区管丙"),
        )
    }
    clients = {who: log_in(user) for who, user in staff.items()}
    answers = {"number": scene.daughter.member.id_number, "reason": "sharing"}
    home = reverse("counter:home")
    assert clients[CLERK].post(home, fields(clients[CLERK].get(home)) | answers).status_code == 302
    relatives = [person(name, datetime.date(1961, 9, 9), region=region) for name in ("沈某芬", "沈某芳", "沈某菊")]
    at = {"by": staff[CLERK], "at": clock.now(), "channel": "window"}
    cases = [
        sharing.draft(grantor=scene.daughter.member, beneficiary=one.member, relation="sibling", centre=centre, **at)
        for one in relatives
    ]
    cases[1:] = [sharing.submit(application=one, commitment=commitment_on(clock.today()), **at) for one in cases[1:]]
    invitations.consent(application=cases[2], **at)
    names = dict(zip(("draft", "asked", "checked"), (one.case.public_id for one in cases), strict=True))
    # Since it was submitted, the register has changed: the check shows what.
    Case.objects.filter(pk=cases[2].case_id).update(submitted_at=clock.now() - DAY)
    relatives[2].member.enrolments.update(status="suspended")
    names |= _paying(scene)
    names |= _settled_anew(scene, scene.daughter, "3000.00")
    names |= {
        "claim": _claim(scene, "00112233").case.public_id,
        "closing": _closing(scene),
        "inheritance": "inheritance",
        "transfer_out": "transfer_out",
        "sharing": "sharing",
    }
    return World(scene, {"": "", "grant": scene.grant.public_id} | names, clients)


@pytest.mark.parametrize("language", ["zh-hans", "en"])
def test_every_page_of_the_desk(visit, desk, language) -> None:
    faults = {}
    for who, client in desk.clients.items():
        window = visit(client, language=language, wide=True)
        faults |= crawl(window, pages_of(who, DESK, desk.objects))
    assert faults == {}, json.dumps(faults, ensure_ascii=False, indent=1)

"""Every page of a citizen on a narrow screen: in both languages, and in large print. What is wrong is told all at once."""

import datetime
from dataclasses import dataclass
from uuid import UUID

import pytest
from django.test import Client
from django.urls import reverse

from accounts import clock
from accounts.actions import audit, messages
from accounts.enums import IdentityLevel
from documents.models import IssuedDocument
from family.actions import sharing
from family.models import SharingApplication
from family.queries import commitment_on
from settlements.actions import statements
from settlements.models import Settlement
from tests.family.support import make_rules
from tests.people import make_login, make_member, make_staff, person
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
    (NOBODY, "documents:check", ""),
    (NOBODY, "documents:check_number", "paper"),
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
    (DAUGHTER, "casework:mine", ""),
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
]


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
        {"": ""}
        | _names(fathers=fathers, own=own, undone=undone, draft=draft, asked=asked, offered=offered, paper=paper)
        | {"grant": scene.grant.public_id},
        {
            NOBODY: None,
            NEWCOMER: log_in(newcomer),
            RESIDENT: log_in(resident),
            DAUGHTER: _binding(log_in(scene.daughter), scene.stranger),
            FATHER: log_in(scene.father),
        },
    )


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


@pytest.mark.parametrize(
    ("language", "elder"), [("zh-hans", False), ("en", False), ("zh-hans", True)], ids=["chinese", "english", "elder"]
)
def test_every_page_of_a_citizen(visit, world, language, elder) -> None:
    faults = {}
    for who in world.clients:
        window = visit(world.clients[who], language=language, elder=elder)
        for _who, name, what in (row for row in PAGES if row[0] == who):
            path = reverse(name, args=[world.objects[what]] if what else [])
            window.go(path)
            found = window.faults()
            if not window.page.url.endswith(path):
                found.append(f"led away to {window.page.url}")
            if (window.page.locator("html.elder").count() == 1) != elder:
                found.append("not in the print that was asked for")
            if found:
                faults[f"{who} {name} {what}".strip()] = found
    assert faults == {}

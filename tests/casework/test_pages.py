"""A citizen's list of cases, and the timeline in words."""

import pytest
from bs4 import BeautifulSoup
from django.urls import reverse
from django.utils import timezone

from accounts import clock
from casework import kinds, telling
from casework.actions import cases
from casework.domain import states
from casework.enums import CaseState
from casework.models import CaseEvent
from family.actions import sharing
from family.queries import commitment_on
from tests.family.support import make_rules
from tests.support.pages import english, log_in, text

URL = reverse("casework:mine")


@pytest.fixture
def asked(people):
    """The holder asks the spouse."""
    make_rules(people.region)
    return sharing.apply(
        grantor=people.holder.member,
        beneficiary=people.spouse.member,
        relation="spouse",
        by=people.holder,
        at=clock.now(),
        commitment=commitment_on(clock.today()),
    )


def rows(client, query: str = "", **more) -> list[str]:
    page = BeautifulSoup(client.get(URL + query, **more).content, "html.parser")
    return [row.get_text(" ", strip=True) for row in page.select(".portal-rows > li")]


def test_both_sides_see_it_in_their_own_words_and_nobody_else(people, asked) -> None:
    mine, theirs = rows(log_in(people.holder)), rows(log_in(people.spouse))
    assert asked.case.number in mine[0] and "方*" in mine[0]
    assert asked.case.number in theirs[0] and "沈*宁" in theirs[0]
    assert people.spouse.member.name not in mine[0] + theirs[0]
    assert rows(log_in(people.stranger)) == []


def test_who_is_asked_is_told_that_the_answer_is_hers(people, asked) -> None:
    english = {"headers": {"Accept-Language": "en"}}
    assert "Waiting for the relative's consent" in rows(log_in(people.holder), **english)[0]
    assert "Waiting for your answer" in rows(log_in(people.spouse), **english)[0]
    invitation = reverse("family:invitation", args=[asked.case.public_id])
    timeline = BeautifulSoup(log_in(people.spouse).get(invitation, **english).content, "html.parser")
    assert "Waiting for your answer" in timeline.select_one(".portal-timeline .is-now").get_text()
    assert telling.state_of(asked.case, people.clerk) == asked.case.get_state_display()


def test_a_draft_is_the_applicants_own(people, asked) -> None:
    sharing.draft(
        grantor=people.holder.member, beneficiary=people.child, relation="child", by=people.holder, at=clock.now()
    )
    assert len(rows(log_in(people.holder))) == 2
    assert len(rows(log_in(people.spouse))) == 1


def test_open_and_finished_ones_apart(people, asked) -> None:
    client = log_in(people.holder)
    assert (len(rows(client, "?state=open")), len(rows(client, "?state=closed"))) == (1, 0)
    sharing.withdraw(application=asked, by=people.holder, at=clock.now())
    assert (len(rows(client, "?state=open")), len(rows(client, "?state=closed"))) == (0, 1)


def test_the_swapped_part_is_what_the_fresh_page_shows(people, asked) -> None:
    client = log_in(people.holder)
    assert rows(client, "?state=open", headers={"HX-Request": "true"}) == rows(client, "?state=open")


def test_looking_changes_nothing(people, asked) -> None:
    before = list(CaseEvent.objects.values())
    log_in(people.holder).get(URL)
    assert list(CaseEvent.objects.values()) == before
    assert log_in(people.holder).post(URL).status_code == 405


def test_staff_have_their_own_pages(people) -> None:
    assert log_in(people.clerk).get(URL).status_code == 404


def test_every_state_and_every_step_has_words() -> None:
    assert set(telling.STATE_TAGS) == set(CaseState)
    assert set(telling.VERBS) >= set(states.VERBS)
    assert set(telling.ROLES) == set(states.ROLES)


def test_staff_are_named_to_staff_only(people, open_errand) -> None:
    case = open_errand()
    clerk = people.clerk
    assert f"柜员甲 {clerk.username}" in telling.events(case, people.supervisor)[0]["small"]
    for named in (clerk.username, "柜员甲", "柜*甲"):
        assert named not in telling.events(case, people.holder)[0]["small"]


def test_an_open_case_ends_with_where_it_stands(people, open_errand) -> None:
    case = open_errand()
    assert [event["when"] for event in telling.events(case, people.holder)] == [""]
    case = cases.move(case=case, verb="submit", by=people.clerk, role="clerk", at=clock.now())
    last = telling.events(case, people.holder, case.due_on)[-1]
    assert (last["when"], last["text"]) == ("now", case.get_state_display())


def test_a_kind_that_names_nothing_is_shown_by_its_title(people, open_errand) -> None:
    case = open_errand()
    row = telling.rows([case], people.holder)[0]
    assert (row.title, row.about) == (str(kinds.get("errand").title), "")


def test_what_to_bring_is_told_to_everybody_before_they_go(client) -> None:
    page = client.get(reverse("casework:bring"))
    assert page.status_code == 200
    soup = BeautifulSoup(page.content, "html.parser")
    # No matter with a case: whoever has lost his telephone needs to know it most, and cannot log in.
    assert "身份证" in soup.select_one("section#telephone").get_text()
    assert "打印对账单" in soup.select_one("section#other").get_text()
    matters = soup.select("section[id]:not(#telephone):not(#other)")
    assert {matter["id"] for matter in matters} == {kind.code for kind in kinds.known() if kind.materials}
    assert {"sharing", "claim", "withdrawal", "inheritance", "transfer_out"} <= {matter["id"] for matter in matters}
    for matter in matters:
        lines = [line.get_text() for line in matter.select("li")]
        assert lines == [str(line) for line in kinds.get(matter["id"]).materials]


def test_a_step_of_another_year_is_told_with_its_year(people, open_errand) -> None:
    case = open_errand()
    assert str(timezone.localtime(case.opened_at).year) in telling.events(case, people.holder)[0]["small"]


@pytest.mark.parametrize(("page", "matter"), [("casework:mine", ""), ("family:bind", "#sharing")])
def test_pages_lead_to_what_to_bring(people, page: str, matter: str) -> None:
    assert f'href="{reverse("casework:bring")}{matter}"' in log_in(people.holder).get(reverse(page)).text


def test_the_administration_tells_steps_in_words_and_names_no_citizen(people, open_errand):
    online, window = open_errand(people.holder, "applicant"), open_errand()
    desk = english(people.region_admin)
    page = text(desk.get(reverse("admin:casework_case_change", args=[online.pk])))
    assert "Begun" in page and "applicant" in page and "Not submitted" in page
    listed = text(desk.get(reverse("admin:casework_caseevent_changelist")))
    assert people.holder.member.name not in f"{page} {listed}" and people.holder.display_name not in f"{page} {listed}"
    assert f"clerk {people.clerk.display_name}" in listed and window.number in listed
    for code in ("draft", "open draft"):
        assert code not in page.split() and code not in listed

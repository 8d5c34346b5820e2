import pytest

from casework.domain import states
from casework.domain.states import next_state, verbs_for
from casework.enums import OPEN_STATES, CaseState

ALLOWED = {
    ("draft", "submit", "applicant"): "review",
    ("draft", "submit", "clerk"): "review",
    ("draft", "submit", "system"): "review",
    ("draft", "amend", "applicant"): "draft",
    ("draft", "amend", "clerk"): "draft",
    ("draft", "withdraw", "applicant"): "withdrawn",
    ("draft", "withdraw", "clerk"): "withdrawn",
    ("draft", "expire", "system"): "expired",
    ("consent", "consent", "relative"): "review",
    ("consent", "consent", "clerk"): "review",
    ("consent", "decline", "relative"): "refused",
    ("consent", "decline", "clerk"): "refused",
    ("consent", "amend", "applicant"): "returned",
    ("consent", "amend", "clerk"): "returned",
    ("consent", "withdraw", "applicant"): "withdrawn",
    ("consent", "withdraw", "clerk"): "withdrawn",
    ("consent", "expire", "system"): "expired",
    ("review", "approve", "supervisor"): "granted",
    ("review", "return", "supervisor"): "returned",
    ("review", "refuse", "supervisor"): "refused",
    ("review", "amend", "applicant"): "returned",
    ("review", "amend", "clerk"): "returned",
    ("review", "withdraw", "applicant"): "withdrawn",
    ("review", "withdraw", "clerk"): "withdrawn",
    ("returned", "submit", "applicant"): "review",
    ("returned", "submit", "clerk"): "review",
    ("returned", "submit", "system"): "review",
    ("returned", "amend", "applicant"): "returned",
    ("returned", "amend", "clerk"): "returned",
    ("returned", "withdraw", "applicant"): "withdrawn",
    ("returned", "withdraw", "clerk"): "withdrawn",
    ("returned", "expire", "system"): "expired",
}


def test_every_state_verb_and_role() -> None:
    every = [(state, verb, role) for state in CaseState.values for verb in states.VERBS for role in states.ROLES]
    assert {step: to for step in every if (to := next_state(*step))} == ALLOWED


def test_states_agree_with_the_model() -> None:
    assert sorted(states.OPEN + states.ENDED) == sorted(CaseState.values)
    assert list(states.OPEN) == OPEN_STATES


@pytest.mark.parametrize("state", states.ENDED)
@pytest.mark.parametrize("role", states.ROLES)
def test_an_ended_case_stays_ended(state: str, role: str) -> None:
    assert verbs_for(state, role) == []


def test_from_every_open_state_there_is_a_way_to_an_end() -> None:
    for state in states.OPEN:
        reached = {state}
        while True:
            more = {to for (at, _), step in states.TABLE.items() if at in reached for to in step.to} - reached
            if not more:
                break
            reached |= more
        assert reached & set(states.ENDED), state


def test_a_kind_may_choose_only_among_what_the_step_offers() -> None:
    assert next_state("draft", "submit", "applicant", "consent") == "consent"
    assert next_state("consent", "consent", "relative", "granted") == "granted"
    assert next_state("draft", "submit", "applicant", "refused") is None
    assert next_state("review", "approve", "supervisor", "returned") is None


def test_nobody_grants_but_the_second_check_the_relative_and_what_needs_neither() -> None:
    granting = {verb for (_, verb), step in states.TABLE.items() if "granted" in step.to}
    assert granting == {"submit", "consent", "approve"}


def test_what_a_relative_may_do() -> None:
    assert verbs_for("consent", "relative") == ["consent", "decline"]
    assert verbs_for("review", "relative") == []

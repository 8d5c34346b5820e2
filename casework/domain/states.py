"""The one state machine of cases: who may do what in which state, and where it leads.

States and roles are plain words here; `casework.enums.CaseState` gives the states their labels.
"""

from typing import NamedTuple

APPLICANT = "applicant"
RELATIVE = "relative"
CLERK = "clerk"
SUPERVISOR = "supervisor"
SYSTEM = "system"
ROLES = (APPLICANT, RELATIVE, CLERK, SUPERVISOR, SYSTEM)

OPEN = ("draft", "consent", "review", "returned")
ENDED = ("granted", "refused", "withdrawn", "expired")

# Whoever did one of these had a hand in the case, and may not be its second check.
MAKING = ("open", "submit", "amend", "consent")
# The second check itself.
CHECKING = ("approve", "return", "refuse")


class Step(NamedTuple):
    """Who may take it, and the states it may lead to: the first one unless the case's kind knows better."""

    roles: tuple[str, ...]
    to: tuple[str, ...]


_MAKERS = (APPLICANT, CLERK)
_SUBMIT = Step((APPLICANT, CLERK, SYSTEM), ("review", "consent", "granted"))
_WITHDRAW = Step(_MAKERS, ("withdrawn",))
_EXPIRE = Step((SYSTEM,), ("expired",))

TABLE: dict[tuple[str, str], Step] = {
    ("draft", "submit"): _SUBMIT,
    ("draft", "amend"): Step(_MAKERS, ("draft",)),
    ("draft", "withdraw"): _WITHDRAW,
    ("draft", "expire"): _EXPIRE,
    ("consent", "consent"): Step((RELATIVE, CLERK), ("review", "granted")),
    ("consent", "decline"): Step((RELATIVE, CLERK), ("refused",)),
    # Taken back to be changed: nothing is edited while somebody else is looking at it.
    ("consent", "amend"): Step(_MAKERS, ("returned",)),
    ("consent", "withdraw"): _WITHDRAW,
    ("consent", "expire"): _EXPIRE,
    ("review", "approve"): Step((SUPERVISOR,), ("granted",)),
    ("review", "return"): Step((SUPERVISOR,), ("returned",)),
    ("review", "refuse"): Step((SUPERVISOR,), ("refused",)),
    ("review", "amend"): Step(_MAKERS, ("returned",)),
    ("review", "withdraw"): _WITHDRAW,
    ("returned", "submit"): _SUBMIT,
    ("returned", "amend"): Step(_MAKERS, ("returned",)),
    ("returned", "withdraw"): _WITHDRAW,
    ("returned", "expire"): _EXPIRE,
}
VERBS = tuple(dict.fromkeys(verb for _, verb in TABLE))


def next_state(state: str, verb: str, role: str, to: str | None = None) -> str | None:
    """The state after `verb` by `role`, or None where the table does not allow it.

    `to` chooses among the states that the step may lead to; without it the first is taken.
    """
    step = TABLE.get((state, verb))
    if step is None or role not in step.roles:
        return None
    if to is None:
        return step.to[0]
    return to if to in step.to else None


def verbs_for(state: str, role: str) -> list[str]:
    """What a role may do in a state, in the order of the table."""
    return [verb for (at, verb), step in TABLE.items() if at == state and role in step.roles]

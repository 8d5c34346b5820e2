"""The kinds of cases. Each app registers its own in `AppConfig.ready`; casework knows none of them by name."""

import datetime
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

from django.db.models import Q
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy

from accounts.models import User
from casework.models import Case

WORKING_DAYS = 5
# The last of what is brought, whatever for.
AGENT = gettext_lazy("If somebody else comes: the written authority and the agent's ID card")


def _applicant_only(case: Case) -> Collection[int]:
    return [case.applicant_id]


def _nobody_else(member_id: int | None) -> Q:
    return Q(pk__in=[])


def _nothing(*, case: Case, by: User | None, at: datetime.datetime) -> None:
    pass


def _no_name(cases: Collection[Case], user: User) -> Mapping[int, str]:
    return {}


def _no_word(*, case: Case, verb: str, from_state: str, by: User | None, at: datetime.datetime) -> None:
    pass


@dataclass(frozen=True, kw_only=True)
class Kind:
    """What casework must know of a kind of case. The callbacks run in the transaction of the step.

    `title` is shown to people (lazy); `url_name` is the page of one case, with its `public_id`.
    `on_review_check` runs before a second check is accepted and raises Refused when it no longer holds.
    `on_granted` does what was applied for, or raises Refused, which undoes the step. `on_moved` runs after every step.
    `parties`: ids of the members the case is about; none of them may be its second check.
    `others_see`: which cases a member (id) may see though he is not the applicant.
    `about`: case id -> what it is about, in a few words, as this reader would say it (names masked).
    `materials`: all that is brought to a window for it, without what the register knows; nothing if it is not begun there.
    `working_days` to decide from the submission: a number, or what the region's rule of the day says for a case.
    """

    code: str
    title: str
    url_name: str
    on_granted: Callable[..., None]
    on_review_check: Callable[..., None] = _nothing
    on_moved: Callable[..., None] = _no_word
    parties: Callable[[Case], Collection[int]] = _applicant_only
    others_see: Callable[[int | None], Q] = _nobody_else
    about: Callable[[Collection[Case], User], Mapping[int, str]] = _no_name
    materials: tuple[Promise, ...] = ()
    working_days: int | Callable[[Case, datetime.date], int] = WORKING_DAYS

    def days_for(self, case: Case, on: datetime.date) -> int:
        """The working days to decide a case that is submitted on a day."""
        return self.working_days if isinstance(self.working_days, int) else self.working_days(case, on)


_kinds: dict[str, Kind] = {}


def register(kind: Kind) -> None:
    """Make a kind known; the same code again replaces it."""
    _kinds[kind.code] = kind


def get(code: str) -> Kind:
    """The kind of a code. KeyError where nobody registered it."""
    return _kinds[code]


def known() -> list[Kind]:
    """All kinds, in the order of registering."""
    return list(_kinds.values())


def brought_for() -> list[Kind]:
    """Those for which something is brought to a window, in the order of registering."""
    return [kind for kind in known() if kind.materials]

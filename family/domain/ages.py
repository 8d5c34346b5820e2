"""Whether two people can be to each other what is said of them, by their days of birth (decision 0044).

Only what cannot be is told: a stepchild may be a year younger than the stepparent, brothers may be of any age.
"""

import datetime
from dataclasses import dataclass
from typing import Literal

from accounts.domain.age import age_on

ELDERS, DESCENDANTS = ("parent", "grandparent"), ("child", "grandchild")
# The least that any law of the mainland asks for: the Civil Code's article 1047 says 22 and 20, and the autonomous
# regions, which may lower it, say 20 and 18.
MARRIED_FROM = {"M": 20, "F": 18}


@dataclass(frozen=True, kw_only=True)
class Born:
    """When somebody was born and as what (M, F); `permit`: of Hong Kong, Macao or Taiwan, whose law on marriage differs;
    `proved`: the day stands in the ID number, so it is more than something that was written down."""

    birth: datetime.date
    sex: str = ""
    permit: bool = False
    proved: bool = True


def misfit(relation: str, of: Born, relative: Born, on: datetime.date) -> Literal["older", "younger", "spouse"] | None:
    """What the ages say against `relative` being this to somebody on a day: he would have to be older or younger, or one
    of the two is too young to be married. None if it can be, and where no ID number proves the days."""
    if not (of.proved and relative.proved):
        return None
    if relation in ELDERS and relative.birth > of.birth:
        return "older"
    if relation in DESCENDANTS and relative.birth < of.birth:
        return "younger"
    if relation == "spouse" and not (_may_be_married(of, on) and _may_be_married(relative, on)):
        return "spouse"
    return None


def _may_be_married(one: Born, on: datetime.date) -> bool:
    return one.permit or age_on(one.birth, on) >= MARRIED_FROM.get(one.sex, min(MARRIED_FROM.values()))

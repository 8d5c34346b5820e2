"""What relatives are called: 父亲, 女儿; the register knows only parent and child."""

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from accounts.enums import Relation

INVERSE = {
    Relation.SPOUSE: Relation.SPOUSE,
    Relation.PARENT: Relation.CHILD,
    Relation.CHILD: Relation.PARENT,
    Relation.SIBLING: Relation.SIBLING,
    Relation.GRANDPARENT: Relation.GRANDCHILD,
    Relation.GRANDCHILD: Relation.GRANDPARENT,
}
TERMS: dict[tuple[str, str], Promise] = {
    (Relation.SPOUSE, "M"): _("husband"),
    (Relation.SPOUSE, "F"): _("wife"),
    (Relation.PARENT, "M"): _("father"),
    (Relation.PARENT, "F"): _("mother"),
    (Relation.CHILD, "M"): _("son"),
    (Relation.CHILD, "F"): _("daughter"),
    (Relation.SIBLING, "M"): _("brother"),
    (Relation.SIBLING, "F"): _("sister"),
    (Relation.GRANDPARENT, "M"): _("grandfather"),
    (Relation.GRANDPARENT, "F"): _("grandmother"),
    (Relation.GRANDCHILD, "M"): _("grandson"),
    (Relation.GRANDCHILD, "F"): _("granddaughter"),
    (Relation.PARENT_IN_LAW, "M"): _("father-in-law"),
    (Relation.PARENT_IN_LAW, "F"): _("mother-in-law"),
}

# The first character of 丈夫 says nothing of him.
SEALS = {"丈夫": "夫"}


def inverse(relation: str) -> str:
    """What the grantor is to the beneficiary, given what the beneficiary is to the grantor.

    A spouse's parent has no inverse among near relatives and is given back as it is.
    """
    return INVERSE.get(Relation(relation), relation)


def term(relation: str, sex: str) -> str:
    """The everyday word in the reader's language; `sex` is "M" or "F", anything else gives the neutral word."""
    return str(TERMS.get((relation, sex)) or Relation(relation).label)


def seal(word: str) -> str:
    """One character that stands for a relative beside the word itself."""
    return SEALS.get(word.strip(), word.strip()[:1].upper())

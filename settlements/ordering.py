"""The order in which a beneficiary's grantors pay, as a page shows it, and a worked example of the next bill."""

import datetime
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.utils.translation import gettext as _

from accounts.enums import Level
from accounts.models import Member, Region
from accounts.money import ZERO
from family.domain.rules import SharingRules
from family.models import SharingGrant
from family.queries import grants_to_order
from family.telling import named, term_of_grantor
from settlements.actions import care
from settlements.enums import CareKind
from settlements.ledger import balances
from settlements.models import PersonalAccount
from settlements.queries.year import grant_use, year_on
from settlements.trying import Tried, try_bill


@dataclass(frozen=True)
class Part:
    """One payer of the example, for the bar and the rows; `why` in a few words."""

    kind: str
    label: str
    amount: Decimal
    why: str = ""


@dataclass(frozen=True)
class Example:
    """How a bill would be paid: the parts sum to `total`, in yuan; `order`: the relatives, each with his part in words."""

    total: Decimal
    parts: list[Part]
    order: list[tuple[str, str]]


def in_order(member: Member, rules: SharingRules | None, on: datetime.date) -> list[SharingGrant]:
    """The grants for care of a beneficiary in the order of the region's strategy on a day, paused ones too."""
    grants = list(grants_to_order(member.pk, on))
    if rules is not None and rules.order == "last_bound":
        grants.sort(key=lambda grant: (grant.starts_on, grant.pk), reverse=True)
    elif rules is not None and rules.order == "largest_balance":
        held = _balances(grants, on)
        grants.sort(key=lambda grant: (-held.get(grant.grantor_id, ZERO), grant.grantor.name))
    return grants


def _balances(grants: Sequence[SharingGrant], on: datetime.date) -> dict[int, Decimal]:
    """Grantor -> what relatives may use of his account, before anything is kept back."""
    rows = PersonalAccount.objects.filter(
        member__in=[grant.grantor_id for grant in grants], region__in={grant.region_id for grant in grants}
    ).values_list("pk", "member_id")
    shown = balances([pk for pk, _member in rows], on)
    return {member: shown[pk].historical for pk, member in rows}


def used_this_year(grants: Sequence[SharingGrant], on: datetime.date) -> dict[int, Decimal]:
    """Grant id -> yuan used under it in the benefit year of the day."""
    regions = {grant.region_id for grant in grants}
    return grant_use(grants, {code: now.number for code in regions if (now := year_on(code, on))})


def levels(region_code: str | None) -> list[tuple[str, str]]:
    """The levels of a region's hospitals with their names, for a choice."""
    region = Region.objects.filter(pk=region_code).first()
    known = region.data.get("levels", []) if region else []
    return [(level, str(Level(level).label)) for level in known]


def usual_level(choices: Sequence[tuple[str, str]]) -> str:
    """The second level where there is one, else the first that is known."""
    codes = [code for code, _label in choices]
    return Level.SECONDARY if Level.SECONDARY in codes else codes[0] if codes else Level.SECONDARY


def worked_example(
    member: Member, amount: Decimal, level: str, grants: Sequence[SharingGrant], on: datetime.date
) -> Example:
    """What outpatient care of `amount` yuan, all in the catalogue, would take from whom, as its patient may see it.

    Writes nothing. Raises Refused as `care.quote`.
    """
    tried = try_bill(member, care.Bill(kind=CareKind.OUTPATIENT, level=level, in_scope=amount), on)
    used = used_this_year(grants, on)
    parts = [Part("fund", _("Pooled fund"), tried.fund)]
    if tried.supplement:
        parts.append(Part("fund", _("Supplementary fund"), tried.supplement))
    parts += _own(tried.quoted)
    if tried.wallet:
        parts.append(Part("wallet", _("Your wallet"), tried.wallet))
    if grants:
        parts.append(_family(tried))
    parts.append(Part("cash", _("Cash"), tried.cash))
    return Example(total=amount, parts=parts, order=_places(grants, used))


def _places(grants: Sequence[SharingGrant], used: dict[int, Decimal]) -> list[tuple[str, str]]:
    """Each relative with his part in words; the first is the first of those who can be asked."""
    found, turn = [], _("pays first")
    for grant in grants:
        against = _against(grant, used.get(grant.pk, ZERO))
        found.append((named(term_of_grantor(grant), grant.grantor), against or turn))
        if not against:
            turn = _("pays what is missing then")
    return found


def _family(tried: Tried) -> Part:
    if tried.sure or not tried.family:
        return Part("family", _("Your relatives' accounts"), tried.family, "" if tried.family else _("not needed"))
    why = _("how far they reach is not told here")
    return Part("family", _("Your relatives' accounts, and what they lack in cash"), tried.family, why)


def _own(quoted: care.Quote) -> list[Part]:
    if quoted.facts.account_id is None:
        return [Part("current", _("Your own account"), ZERO, _("you have none"))]
    if not quoted.facts.two_buckets:
        return [Part("history", _("Your own account"), quoted.own_historical)]
    return [
        Part("current", _("Your own, this year's"), quoted.own_current),
        Part("history", _("Your own, earlier years'"), quoted.own_historical),
    ]


def _against(grant: SharingGrant, used: Decimal) -> str:
    """Why he is not asked, as he has said himself: never what his account holds."""
    if grant.paused_at:
        return _("paused")
    if grant.limit is not None and used >= grant.limit:
        return _("the limit of this year is used up")
    return ""

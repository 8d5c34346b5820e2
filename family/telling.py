"""Sharing in the reader's language: who, for what, how much, until when. Names are masked; nobody hears of third persons."""

import datetime
from collections.abc import Collection, Iterable, Mapping
from decimal import Decimal
from typing import Any, NamedTuple

from django.forms import Form
from django.utils.functional import Promise
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts import dates, kinship, masks, reasons
from accounts.amounts import yuan_unit
from accounts.errors import Refused
from accounts.models import Member, Region, User
from accounts.wording import listed
from casework.models import Case
from family.domain.check import Facts, Finding
from family.domain.rules import SharingRules
from family.enums import EndReason
from family.models import SharingApplication, SharingGrant

DAY = datetime.timedelta(days=1)
# The sentence on the order, by the region's strategy, where it is fixed.
FIXED_ORDER: dict[str, Promise] = {
    "single": gettext_lazy(
        "In this region each person can use the account of one relative, so there is nothing to order."
    ),
    "last_bound": gettext_lazy(
        "By this region's rule the relative who was bound last pays first. It cannot be changed."
    ),
    "largest_balance": gettext_lazy(
        "By this region's rule the account with the largest balance pays first. It cannot be changed."
    ),
    # What was filed while it could be changed still holds.
    "filed": gettext_lazy(
        "By this region's rule relatives pay in the order below: as they were ordered earlier, otherwise whoever was bound"
        " first. It cannot be changed."
    ),
}

Sharing = SharingApplication | SharingGrant


def term_of_beneficiary(sharing: Sharing) -> str:
    """What the beneficiary is to the grantor: mother."""
    return kinship.term(sharing.relation, sharing.beneficiary.sex)


def term_of_grantor(sharing: Sharing) -> str:
    """What the grantor is to the beneficiary: daughter."""
    return kinship.term(kinship.inverse(sharing.relation), sharing.grantor.sex)


def named(term: str, member: Member, in_full: bool = False) -> str:
    """Mother 顾*芬, as the beginning of a line; `in_full` for who signs a paper."""
    return f"{term[:1].upper()}{term[1:]} {member.name if in_full else masks.mask_name(member.name)}"


def uses(sharing: Any) -> str:
    """For care, premiums, or both; reads `uses_care` and `uses_premium`."""
    told = [_("care and medicine")] if sharing.uses_care else []
    told += [_("residents' insurance premiums")] if sharing.uses_premium else []
    return listed(told)


def limit(amount: Decimal | None) -> str:
    """At most so much a year, or no limit."""
    return _("no limit") if amount is None else _("at most %(amount)s a year") % {"amount": yuan_unit(amount)}


def until(ends_on: datetime.date | None) -> str:
    """The last day; `ends_on` is the first day without."""
    if ends_on is None:
        return _("open-ended; either of you can end it at any time")
    return _("until %(day)s") % {"day": dates.day(ends_on - DAY)}


def answers(
    application: SharingApplication, who_url: str = "", terms_url: str = "", in_full: bool = False
) -> list[dict[str, Any]]:
    """What was entered, for components/check_answers.html; links to change it where given; `in_full`: as `named`."""
    beneficiary = application.beneficiary
    who = [
        (_("Relative"), named(term_of_beneficiary(application), beneficiary, in_full)),
        (_("ID number"), SafeString(f'<span class="portal-money">{masks.mask_id(beneficiary.id_number)}</span>')),
    ]
    terms = [
        (_("May be used for"), uses(application)),
        (_("Limit"), limit(application.limit)),
        (_("Until when"), until(application.ends_on)),
    ]
    rows = [{"label": label, "value": value, "url": who_url} for label, value in who]
    return rows + [{"label": label, "value": value, "url": terms_url} for label, value in terms]


def prechecks(facts: Facts, rules: SharingRules, term: str) -> list[str]:
    """What the check found in order, said of the grantor as "you"."""
    region = Region.objects.get(pk=facts.grantor.region).local_name
    passed = [_("You are insured as an employee in %(region)s and your insurance is in order") % {"region": region}]
    if rules.same_region:
        passed.append(_("Your %(term)s is insured in the same region") % {"term": term})
    else:
        passed.append(_("Your %(term)s is insured within reach of your account") % {"term": term})
    passed.append(_("A %(term)s counts as a near relative here") % {"term": term})
    sharing = sum(facts.relatives.values())
    passed.append(
        _("You share with %(count)s relatives so far, which leaves room") % {"count": sharing}
        if sharing
        else _("You do not share with anybody yet")
    )
    return passed


def findings(found: Iterable[Finding]) -> list[reasons.Told]:
    """Each reason with its remedy."""
    return [reasons.tell(code, params) for code, params in found]


def tell_at_relation(form: Form, found: Iterable[Finding]) -> bool:
    """Tell what the ages say against the relation at the field in which it was chosen; whether there was anything."""
    told = [str(reasons.tell(code, params)) for code, params in found if code == "ages_do_not_fit"]
    for sentence in told:
        form.add_error("relation", sentence)
    return bool(told)


def refused_to_beneficiary(refused: Refused) -> reasons.Told:
    """A refusal told to the relative, of whom most words speak as of somebody else."""
    yours = f"{refused.code}.yours"
    return reasons.tell(yours if yours in reasons.registered() else refused.code, refused.params)


def about(cases: Collection[Case], user: User) -> Mapping[int, str]:
    """What a case of sharing is about: the relative's name from the side of the reader; both names for staff."""
    applications = SharingApplication.objects.filter(case__in=cases).select_related("grantor", "beneficiary")
    return {one.case_id: _about(one, user) for one in applications}


def _about(application: SharingApplication, user: User) -> str:
    beneficiary = named(term_of_beneficiary(application), application.beneficiary)
    if user.member_id == application.grantor_id:
        return _("%(beneficiary)s to use my account") % {"beneficiary": beneficiary}
    grantor = named(term_of_grantor(application), application.grantor)
    if user.member_id == application.beneficiary_id:
        return _("to use the account of %(grantor)s") % {"grantor": grantor}
    names = {"grantor": masks.mask_name(application.grantor.name), "beneficiary": beneficiary}
    return _("%(grantor)s, for %(beneficiary)s") % names


def order_rows(
    grants: Iterable[SharingGrant], used: Mapping[int, Decimal], changed: int | None = None
) -> list[dict[str, Any]]:
    """Rows of components/order_list.html; `used`: grant id -> yuan of this year, `changed`: the grant just moved."""
    listed = list(grants)
    return [
        {
            "id": str(grant.public_id),
            "term": term_of_grantor(grant),
            "name": masks.mask_name(grant.grantor.name),
            "small": room(grant, used.get(grant.pk, Decimal(0))),
            "first": place == 0,
            "last": place == len(listed) - 1,
            "changed": grant.pk == changed,
        }
        for place, grant in enumerate(listed)
    ]


def room(grant: SharingGrant, used: Decimal) -> str:
    """How much of the limit is left this year, or that there is none; a pause is said first."""
    if grant.limit is None:
        left = _("no limit")
    else:
        left = _("%(amount)s left this year") % {"amount": yuan_unit(max(grant.limit - used, Decimal(0)))}
    return _("paused") + " · " + left if grant.paused_at else left


def why_ended(grant: SharingGrant, *, is_grantor: bool) -> str:
    """Why a grant ended, said to one of the two: who of them ended it, or what else did. Empty at its own last day."""
    if grant.end_reason not in (EndReason.GRANTOR, EndReason.BENEFICIARY):
        return str(grant.get_end_reason_display())
    if (grant.end_reason == EndReason.GRANTOR) == is_grantor:
        return _("ended by you")
    return _("ended by your %(term)s") % {"term": term_of_beneficiary(grant) if is_grantor else term_of_grantor(grant)}


def waits_until(application: SharingApplication) -> datetime.date | None:
    """The day by which the relative must answer or the check be done, whichever the case waits for."""
    return {"consent": application.consent_until, "review": application.case.due_on}.get(application.case.state)


def next_steps(application: SharingApplication) -> list[str]:
    """What happens now, for the page after submitting and the case's page, said to the grantor."""
    term = term_of_beneficiary(application)
    state = application.case.state
    if state == "consent":
        day = dates.day(application.consent_until)
        return [
            _("Your %(term)s gets a text message.") % {"term": term},
            _("Until %(day)s your %(term)s can log in and agree, or agree at the window with the ID card.")
            % {"day": day, "term": term},
            _("Until your %(term)s agrees you can take the application back at any time.") % {"term": term},
        ]
    if state == "review":
        return [
            _("A second person checks it by %(day)s.") % {"day": dates.day(application.case.due_on)},
            _("You hear of the result by message. There is nothing for you to do."),
        ]
    if state == "granted":
        return [
            _("Your %(term)s can use your account from today on.") % {"term": term},
            _("The own money of your %(term)s always pays first; yours pays what is missing.") % {"term": term},
            _("You hear of every use, and can set a limit, pause or end it at any time."),
        ]
    return []


def told_terms(data: Mapping[str, Any], application: SharingApplication) -> dict[str, str]:
    """Label -> value of terms as `family.queries.terms_data` keeps them."""
    amount = Decimal(data["limit"]) if data["limit"] else None
    ends_on = datetime.date.fromisoformat(data["ends_on"]) if data["ends_on"] else None
    chosen = _Uses(bool(data["care"]), bool(data["premium"]))
    return {
        _("Relative"): kinship.term(data["relation"], application.beneficiary.sex),
        _("May be used for"): uses(chosen),
        _("Limit"): limit(amount),
        _("Until when"): until(ends_on),
    }


class _Uses(NamedTuple):
    uses_care: bool
    uses_premium: bool

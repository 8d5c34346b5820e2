"""The first page: a person's account, family and year as they are today. Here, because it needs several apps."""

import datetime
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from accounts import clock, dates, kinship, masks
from accounts.enums import EnrolmentStatus, Role
from accounts.models import Enrolment, Member, Region, User
from accounts.policies import has_any_role, is_member, may_use_admin
from accounts.queries import enrolment_on, seen_by_staff
from casework.enums import CaseState
from family import queries as family
from family.models import SharingGrant
from settlements.queries import member as read
from settlements.queries import statement, wallet, year
from settlements.telling import movements, stages
from settlements.telling import why as why_telling

LATEST = 5
SEEN_DAYS = 30


@login_not_required
@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """Visitors get the entry page, staff their desk, citizens their own page."""
    user = request.user
    if not user.is_authenticated:
        return render(request, "portal/entry.html")
    if not is_member(user):
        return _elsewhere(request, user)
    return render(request, "portal/home.html", own_page(user, clock.now()))


def _elsewhere(request: HttpRequest, user: User) -> HttpResponse:
    """Clerks and supervisors to the window, administrators to theirs; a login with neither claims a record."""
    if has_any_role(user, Role.CLERK, Role.SUPERVISOR):
        return redirect("counter:home")
    if may_use_admin(user):
        return redirect("admin:index")
    return render(request, "portal/entry.html", {"unclaimed": True})


def own_page(user: User, at: datetime.datetime) -> dict[str, Any]:
    """All that the page shows of one citizen at a moment."""
    on = timezone.localdate(at)
    member = user.member
    enrolment = enrolment_on(member, on)
    account = read.account_of(member, on)
    region = account.region if account else enrolment.region if enrolment else None
    now = year.year_on(region.pk, on) if region else None
    context: dict[str, Any] = {
        "greeting": greeting(at),
        "member": member,
        "enrolment": enrolment,
        "insured": insured(enrolment),
        "region": region,
        "year": now,
        "account": account,
        "whys": [] if account else why_telling.tell(user, at, on),
        "notice": notice(user, member, enrolment),
        "tasks": tasks(account is not None),
        "seen": seen_by_staff(member).filter(at__gte=at - datetime.timedelta(days=SEEN_DAYS)).count(),
    }
    balance = None
    normal = enrolment is not None and enrolment.status == EnrolmentStatus.NORMAL
    if account:
        balance = read.balance_of(account, on)
        entries = read.movements(user, account)[:LATEST]
        due = statement.due_lines(account, on)[::-1]
        latest = [*due, *read.lines(account, entries)][:LATEST]
        shared = uses(account.region, on) if normal else ()
        context |= {"balance": balance, "uses": shared, "latest": movements.tell_lines(latest, on)}
    # A fund that does not pay at present has no stage to stand in; one who has moved stands in those of his new region.
    if enrolment and normal and (there := year.year_on(enrolment.region_id, on)):
        own = account if account and account.region_id == enrolment.region_id else None
        used = year.year_use(enrolment, there.number, on, own, balance if own else None)
        context["stages"] = stages.tell_stages(used, enrolment.region, there)
    return context | relatives(member, on)


def greeting(at: datetime.datetime) -> str:
    """By the hour in the portal's time zone."""
    hour = timezone.localtime(at).hour
    if hour < 6 or hour >= 18:
        return _("good evening")
    return _("good morning") if hour < 12 else _("good afternoon")


def insured(enrolment: Enrolment | None) -> dict[str, str]:
    """How the person is insured: in words, and the kind of the state's mark."""
    if enrolment is None:
        return {"text": _("Not insured here today"), "state": "", "word": ""}
    words = [enrolment.region.local_name, enrolment.get_insurance_display()]
    if enrolment.insurance == "employee":
        words.append(enrolment.get_personal_status_display())
    normal = enrolment.status == EnrolmentStatus.NORMAL
    word = _("Benefits normal") if normal else enrolment.get_status_display()
    return {"text": " · ".join(str(part) for part in words), "state": "ok" if normal else "bad", "word": str(word)}


def uses(region: Region, on: datetime.date) -> tuple[str, ...]:
    """What relatives may use an account of the region for: "pay", "premium"."""
    rules = family.rules_on(region.pk, on)
    return rules.uses if rules else ()


def notice(user: User, member: Member, enrolment: Enrolment | None) -> dict[str, str] | None:
    """At most one: what waits for me, what I wait for, what is wrong with the insurance. Money in a wallet waits shortest."""
    found = _money_coming(member) or _invited(member) or _applied(user, member)
    if found is None and enrolment and enrolment.status != EnrolmentStatus.NORMAL:
        return {"kind": "warn", "text": stopped(enrolment.status), "verb": "", "url": ""}
    return found


def _money_coming(member: Member) -> dict[str, str] | None:
    coming = wallet.waiting_for(member, clock.now()).first()
    if coming is None:
        return None
    facts = {
        "who": masks.mask_name(coming.sender.name),
        "amount": f"{coming.amount:,.2f}",
        "until": dates.moment(coming.expires_at),
    }
    text = _("%(who)s transferred %(amount)s yuan to your wallet. Accept it before %(until)s, or it goes back.") % facts
    accept = reverse("settlements:transfer", args=[coming.public_id])
    return {"kind": "", "text": text, "verb": _("Look and accept"), "url": accept}


def _invited(member: Member) -> dict[str, str] | None:
    invitations = list(family.invitations_to(member))
    if not invitations:
        return None
    first, until = invitations[0], dates.day_short(invitations[0].consent_until)
    if len(invitations) > 1:
        text = _("%(count)s relatives want you to use their accounts. The first waits until %(until)s.")
        text, url = text % {"count": len(invitations), "until": until}, reverse("family:home")
    else:
        text = _("%(who)s wants you to use his or her account. You can agree until %(until)s.")
        text %= {"who": _named(first.grantor, kinship.inverse(first.relation)), "until": until}
        url = reverse("family:invitation", args=[first.case.public_id])
    return {"kind": "family", "text": text, "verb": _("Look and answer"), "url": url}


def _applied(user: User, member: Member) -> dict[str, str] | None:
    waiting = (
        family.applications_visible_to(user)
        .filter(grantor=member, case__state__in=[CaseState.CONSENT, CaseState.RETURNED, CaseState.REVIEW])
        .order_by("consent_until", "pk")
        .first()
    )
    if waiting is None:
        return None
    told = {
        CaseState.CONSENT: _(
            "You invited %(who)s to use your account. There is no answer yet; until %(until)s it is open."
        ),
        CaseState.REVIEW: _("Your application to share with %(who)s is being checked."),
        CaseState.RETURNED: _("Your application to share with %(who)s came back: something has to be changed."),
    }[CaseState(waiting.case.state)]
    who = _named(waiting.beneficiary, waiting.relation)
    progress = reverse("family:application", args=[waiting.case.public_id])
    return {
        "kind": "family",
        "text": told % {"who": who, "until": dates.day_short(waiting.consent_until)},
        "verb": _("See how far it is"),
        "url": progress,
    }


def stopped(status: str) -> str:
    """What a status other than normal means for the account (domain: two switches, own use and the rest)."""
    if status == EnrolmentStatus.SUSPENDED:
        return _(
            "Contributions have stopped: the fund does not pay and relatives cannot use your account. "
            "You can still use it yourself."
        )
    if status == EnrolmentStatus.FROZEN:
        return _("The account is frozen: nothing is paid from it or by the fund. Ask at a window why.")
    return _("This insurance has ended. What is left in the account can be paid out at a window.")


@dataclass(frozen=True)
class Task:
    """A frequent errand."""

    text: str
    url: str


def tasks(has_account: bool) -> list[Task]:
    """What people come for and the navigation does not name: four, for they stand in one strip."""
    wanted = [
        (_("Let a relative use my account"), "family:bind", has_account),
        (_("Hand in a bill paid in cash"), "settlements:claim_new", True),
        (_("What would a bill take?"), "settlements:estimate", True),
        (_("Can the account pay for this?"), "settlements:catalogue", True),
        (_("How a bill was paid"), "settlements:bills", not has_account),
    ]
    return [Task(text, reverse(name)) for text, name, shown in wanted if shown]


def relatives(member: Member, on: datetime.date) -> dict[str, Any]:
    """Whom I let use my account and who lets me use his, each with this year's use."""
    given = list(family.whom_shares(member, on))
    held = list(family.who_shares_with(member, on))
    regions = {grant.region_id for grant in [*given, *held]}
    years = {code: now.number for code in regions if (now := year.year_on(code, on))}
    used = year.grant_use([*given, *held], years)
    return {
        "given": [_given(grant, used[grant.pk]) for grant in given],
        "held": [_held(grant, used[grant.pk]) for grant in held],
    }


def _given(grant: SharingGrant, used: Any) -> dict[str, Any]:
    small = _("no limit")
    if grant.limit is not None:
        left = max(grant.limit - used, 0)
        facts = {"limit": f"{grant.limit:,.2f}", "left": f"{left:,.2f}"}
        small = _("at most %(limit)s yuan a year, %(left)s yuan left") % facts
    return _person(grant.beneficiary, grant.relation, used) | {
        "small": _paused(grant, small),
        "state": "",
        "used_meter": used,
        "whole_meter": grant.limit,
        "url": reverse("family:grant", args=[grant.public_id]),
    }


def _held(grant: SharingGrant, used: Any) -> dict[str, Any]:
    small = _("Used after your own account is used up")
    return _person(grant.grantor, kinship.inverse(grant.relation), used) | {
        "small": _paused(grant, small),
        "state": "own",
        "url": reverse("family:grant", args=[grant.public_id]),
    }


def _paused(grant: SharingGrant, small: str) -> str:
    return " · ".join([_("Paused at present"), small]) if grant.paused_at else small


def _person(member: Member, relation: str, used: Any) -> dict[str, Any]:
    return {
        "term": kinship.term(relation, member.sex),
        "name": masks.mask_name(member.name),
        "amount": used,
        "amount_label": _("used this year"),
    }


def _named(member: Member, relation: str) -> str:
    return f"{kinship.term(relation, member.sex)} {masks.mask_name(member.name)}"

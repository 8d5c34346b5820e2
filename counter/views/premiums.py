"""Premiums at the window, for the member whose record is open: pay, order, take back, give back, the proof in print."""

import datetime
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts import clock, dates, kinship, language, masks, reasons
from accounts.amounts import yuan_unit
from accounts.decorators import role_required
from accounts.enums import Role
from accounts.errors import Refused
from accounts.models import Member
from accounts.money import plain
from accounts.once import OnceForm, done_once
from counter import desk
from counter.actions.consents import Asked
from counter.desk import Opened, needs_opened
from counter.papers.paying import print_premium
from counter.papers.receipts import PAPERS
from counter.views.agreeing import Step, agree
from counter.views.desk import opened_context, printed
from settlements.actions import premiums
from settlements.domain.premiums import debited_on, may_refund
from settlements.enums import OrderState, WalletSource
from settlements.forms.paying import GroupForm
from settlements.models import PremiumPayment
from settlements.queries import premiums as read
from settlements.queries.premiums import Choice, Due, Window
from settlements.views.premiums import group_choices, is_monthly, source_of, undebited_told
from settlements.views.wallet import source_held

clerk = role_required(Role.CLERK)
PER_PAGE = 10


def _who(serving: Opened, other: Member, relation: str | None) -> str:
    """The member himself, or 父亲 沈*梁."""
    if relation is None:
        return _("The member himself") if other.pk == serving.member.pk else masks.mask_name(other.name)
    return f"{kinship.term(relation, other.sex)} {masks.mask_name(other.name)}"


@clerk
@needs_opened
@require_safe
def home(request: HttpRequest, serving: Opened) -> HttpResponse:
    """For whom a premium can be paid now, the orders that wait, and every payment."""
    desk.look(request, serving.member, "premiums", serving.reason)
    at = timezone.localtime(clock.now())
    mine = Q(payer=serving.member) | Q(insured=serving.member)
    page = Paginator(read.payments_visible_to(request.user).filter(mine), PER_PAGE).get_page(request.GET.get("page"))
    orders = read.orders_visible_to(request.user).filter(payer=serving.member, state=OrderState.WAITING)
    context = opened_context(request, serving) | {
        "people": [
            _person(serving, due, at) for due in read.dues(read.people_to_pay_for(serving.member, at.date()), at)
        ],
        "waiting": [
            {"order": one, "who": _who(serving, one.insured, one.grant.relation if one.grant else None)}
            for one in orders
        ],
        "undebited": [
            {"order": one, "who": _who(serving, one.insured, one.grant.relation if one.grant else None)}
            | undebited_told(one)
            for one in read.undebited(serving.member, at.date())
        ],
        "page_obj": page,
        "rows": [_payment_row(serving, one) for one in page],
        "form": OnceForm(),
        "service": "premiums",
    }
    return render(request, "counter/premiums.html", context)


def _person(serving: Opened, due: Due, at: datetime.datetime) -> dict[str, Any]:
    """Whether a premium can be paid for somebody today, and else why not and when."""
    choice, window = due.choice, due.window
    relation = choice.grant.relation if choice.grant else None
    row: dict[str, Any] = {"who": _who(serving, choice.member, relation), "id": choice.member.public_id}
    if choice.refused:
        return row | {"why": reasons.tell_refused(choice.refused)}
    if window is None:
        return row | {"why": reasons.tell_refused(_closed(due.known, at))}
    return row | {"year": window.year, "paid": due.paid, "until": window.last_day}


def _closed(known: list[Window], at: datetime.datetime) -> Refused:
    """That no window is open, with the day of the next one where it is known."""
    coming = read.next_window(known, at.date())
    facts = {"opens_on": coming.opens_on.isoformat(), "year": coming.year} if coming else {"why": "unknown"}
    return Refused("window_closed", **facts)


def _payment_row(serving: Opened, one: PremiumPayment) -> dict[str, Any]:
    mine, relation = one.payer_id == serving.member.pk, one.grant.relation if one.grant else None
    if mine:
        who = _who(serving, one.insured, relation)
    else:
        term = kinship.term(kinship.inverse(relation), one.payer.sex) if relation else ""
        who = _("By %(payer)s") % {"payer": f"{term} {masks.mask_name(one.payer.name)}".strip()}
    return {"payment": one, "who": who, "mine": mine, "group": language.name_of(one.group_names)}


@clerk
@needs_opened
@require_http_methods(["GET", "HEAD", "POST"])
def pay(request: HttpRequest, serving: Opened, public_id: UUID) -> HttpResponse:
    """Which group the person belongs to and what pays; chosen, the check, the member's consent, and the payment."""
    at = timezone.localtime(clock.now())
    choices = read.people_to_pay_for(serving.member, at.date())
    choice = next((one for one in choices if one.member.public_id == public_id), None)
    if choice is None:
        return get_object_or_404(PremiumPayment.objects.none())
    if request.method != "POST":
        desk.look(request, serving.member, "premiums", serving.reason)
    asked = request.POST if request.method == "POST" else request.GET
    try:
        if choice.refused:
            raise choice.refused
        window, offered = _offered(choice, at)
        sources = [source_held(serving.member, one) for one in choice.sources]
        form = GroupForm(offered, sources, asked or None)
        if not form.is_valid():
            return _pay_page(request, serving, choice, {"form": form, "window": window}, 422 if form.errors else 200)
        source = source_of(serving.member, choice, asked)
        premium, window = premiums.premium_of(choice.member, form.cleaned_data["group"], at)
    except Refused as refused:
        status = 422 if request.method == "POST" else 200
        return _pay_page(request, serving, choice, {"problem": reasons.tell_refused(refused)}, status)
    step = _pay_step(request, serving, choice, premium, window, source)
    return agree(request, serving, step, lambda context, status: _pay_page(request, serving, choice, context, status))


def _offered(choice: Choice, at: datetime.datetime) -> tuple[Window, list[tuple[str, str]]]:
    """The open window and the groups in it with their amounts. Raises Refused: window_closed, duplicate."""
    enrolment = read.resident_enrolment(choice.member, at.date())
    known = read.windows(enrolment.region_id)
    window = read.window_at(known, at)
    if window is None:
        raise _closed(known, at)
    if read.standing_payment(choice.member.pk, window.insurance, window.year):
        raise Refused("duplicate", why="premium", year=window.year)
    return window, group_choices(read.groups_for(window, choice.member))


def _pay_page(
    request: HttpRequest, serving: Opened, choice: Choice, context: dict[str, Any], status: int
) -> HttpResponse:
    who = _who(serving, choice.member, choice.grant.relation if choice.grant else None)
    context = opened_context(request, serving) | {"who": who, "service": "premiums"} | context
    return render(request, "counter/premium_pay.html", context, status=status)


def _pay_step(
    request: HttpRequest, serving: Opened, choice: Choice, premium: premiums.Premium, window: Window, source: str
) -> Step:
    monthly = is_monthly(window, source)
    who = _who(serving, choice.member, choice.grant.relation if choice.grant else None)
    rows = [
        (_("For whom"), who),
        (_("Insurance"), _("Residents' insurance, %(year)s") % {"year": premium.year}),
        (_("Group"), language.name_of(premium.group_names)),
        (_("Amount"), yuan_unit(premium.amount)),
        (_("Out of"), _out_of(source == WalletSource.WALLET)),
        (_("Benefits from"), dates.day(premium.benefit_from)),
    ]
    if monthly:
        rows.append((_("Debited on"), dates.day(debited_on(clock.local(clock.now())))))

    def work(key: str) -> Any:
        facts = {"payer": serving.member, "insured": choice.member, "premium": premium, "by": request.user}
        if monthly:
            return premiums.order(**facts, at=clock.now())
        return premiums.pay(**facts, on=clock.today(), key=key, source=source)

    def then(done: Any) -> HttpResponse:
        if not isinstance(done, PremiumPayment):
            messages.success(request, _("Noted: it is debited on %(day)s.") % {"day": dates.day(done.due_on)})
            return redirect("counter:premiums")
        messages.success(request, _("Paid. Print the proof for the member."))
        return redirect("counter:premium", public_id=done.public_id)

    return Step(
        asked=Asked(
            act="premium_order" if monthly else "premium_pay",
            facts={
                "insured": str(choice.member.public_id),
                "amount": plain(premium.amount),
                "year": premium.year,
                "source": source,
            },
        ),
        title=_("Payment of a residents' premium"),
        rows=[{"label": label, "value": value} for label, value in rows],
        work=work,
        then=then,
        hidden={"group": premium.group, "source": source},
        button=_("Have it debited") if monthly else _("Pay %(amount)s") % {"amount": yuan_unit(premium.amount)},
    )


@clerk
@needs_opened
@require_http_methods(["GET", "HEAD", "POST"])
def payment(request: HttpRequest, serving: Opened, public_id: UUID) -> HttpResponse:
    """One payment: the proof in print, and giving it back before the benefits begin, if the member paid it."""
    found = _payment(request, serving, public_id)
    if request.method != "POST":
        desk.look(request, serving.member, f"premium {found.number}", serving.reason)
    row = _payment_row(serving, found)
    refundable = row["mine"] and found.refunded_on is None and may_refund(found.benefit_from, clock.today())

    def page(context: dict[str, Any], status: int = 200) -> HttpResponse:
        base = opened_context(request, serving) | row | {"papers": PAPERS, "service": "premiums"}
        return render(request, "counter/premium.html", base | context, status=status)

    # A form sent twice comes when it is refunded already, and gets its first answer.
    if not refundable and not (row["mine"] and request.POST.get("do") == "act"):
        return page({})
    return agree(request, serving, _refund_step(request, serving, found, row["who"]), page)


def _out_of(wallet: bool) -> str:
    return _("the wallet of the member") if wallet else _("the personal account of the member")


def _payment(request: HttpRequest, serving: Opened, public_id: UUID) -> PremiumPayment:
    """A payment by or for the member whose record is open, or 404."""
    mine = Q(payer=serving.member) | Q(insured=serving.member)
    return get_object_or_404(read.payments_visible_to(request.user).filter(mine), public_id=public_id)


def _refund_step(request: HttpRequest, serving: Opened, found: PremiumPayment, who: str) -> Step:
    rows = [
        (_("For whom"), who),
        (_("Insurance"), _("Residents' insurance, %(year)s") % {"year": found.year}),
        (_("Amount"), yuan_unit(found.amount)),
        (_("Back to"), _out_of(bool(found.wallet_id))),
        (_("Number"), found.number),
    ]

    def then(done: PremiumPayment) -> HttpResponse:
        back = _("Given back: the money is in the account again.")
        messages.success(request, _("Given back: the money is in the wallet again.") if done.wallet_id else back)
        return redirect("counter:premium", public_id=done.public_id)

    return Step(
        asked=Asked(act="premium_refund", facts={"premium": found.number, "amount": plain(found.amount)}),
        title=_("Refund of a residents' premium"),
        rows=[{"label": label, "value": value} for label, value in rows],
        work=lambda key: premiums.refund(payment=found, on=clock.today(), by=request.user, key=key),
        then=then,
        hidden={},
        button=_("Give it back"),
    )


@clerk
@needs_opened
@require_POST
def withdraw(request: HttpRequest, serving: Opened, public_id: UUID) -> HttpResponse:
    """Take back an order that waits for the month's end, at the member's wish. It moves no money."""
    order = get_object_or_404(read.orders_visible_to(request.user).filter(payer=serving.member), public_id=public_id)

    def work() -> HttpResponse:
        try:
            premiums.withdraw(order=order, at=clock.now(), by=request.user)
        except Refused as refused:
            messages.error(request, str(reasons.tell_refused(refused)))
        else:
            messages.success(request, _("Taken back. Nothing will be debited for it."))
        return redirect("counter:premiums")

    return done_once(request, work)


@clerk
@needs_opened
@require_POST
def paper(request: HttpRequest, serving: Opened, public_id: UUID) -> HttpResponse:
    """The proof of a payment as PDF, on the 80 mm roll or A4; later prints are marked as copies."""
    found = _payment(request, serving, public_id)

    def print_on(paper: str) -> bytes:
        return print_premium(payment=found, member=serving.member, by=request.user, at=clock.now(), paper=paper)

    return printed(request, print_on, f"premium-{found.number}.pdf", redirect("counter:premium", public_id=public_id))

"""Premiums for oneself and relatives: whom, which group and out of what, check, paid; what was paid, giving it back."""

import datetime
from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from accounts import clock, dates, kinship, language, masks, reasons
from accounts.decorators import deny, fresh_proof_required, member_required
from accounts.enums import IdentityLevel
from accounts.errors import Refused
from accounts.models import Member
from accounts.once import OnceForm, done_once
from accounts.queries import enrolment_on
from settlements.actions import premiums
from settlements.domain.premiums import MONTH_END, PremiumGroup, debited_on, may_refund
from settlements.enums import OrderState, WalletSource
from settlements.forms.paying import GroupForm
from settlements.models import PremiumOrder, PremiumPayment
from settlements.queries import member as accounts_read
from settlements.queries import premiums as read
from settlements.queries.premiums import Choice, Due, Window
from settlements.views.wallet import held_in, source_held

PER_PAGE = 10
verified = member_required(IdentityLevel.VERIFIED)


def who_is(insured: Member, relation: str | None) -> str:
    """Yourself, or 父亲 沈*梁."""
    if relation is None:
        return _("Yourself")
    return f"{kinship.term(relation, insured.sex)} {masks.mask_name(insured.name)}"


@require_safe
@member_required()
def home(request: HttpRequest) -> HttpResponse:
    """For whom a premium can be paid now, the orders that wait, and every payment."""
    member, at = request.user.member, timezone.localtime(clock.now())
    page = Paginator(read.payments_visible_to(request.user), PER_PAGE).get_page(request.GET.get("page"))
    enrolment = enrolment_on(member, at.date())
    orders = read.orders_visible_to(request.user)
    waiting = list(orders.filter(state=OrderState.WAITING))
    choices = _worth_telling(read.people_to_pay_for(member, at.date()))
    context = {
        "people": [_person(due, waiting) for due in read.dues(choices, at)],
        "window": _window_told(read.windows(enrolment.region_id) if enrolment else [], at),
        "waiting": [_order_row(order) for order in waiting],
        "undebited": [_order_row(order) | undebited_told(order) for order in read.undebited(member, at.date())],
        "page_obj": page,
        "rows": [_payment_row(payment, member) for payment in page],
    }
    return render(request, "settlements/premiums.html", context)


def _worth_telling(choices: list[Choice]) -> list[Choice]:
    """That an employee has no resident premium to pay for himself is no news to him."""
    return [choice for choice in choices if choice.grant or not choice.refused or choice.refused.code != "not_covered"]


def _person(due: Due, waiting: list[PremiumOrder]) -> dict[str, Any]:
    choice, window, insured = due.choice, due.window, due.choice.member
    row: dict[str, Any] = {
        "who": who_is(insured, choice.grant.relation if choice.grant else None),
        "id": insured.public_id,
        "own": choice.grant is None,
    }
    if choice.refused:
        return row | {"why": reasons.tell_refused(choice.refused)}
    if window is None:
        return row | {"closed": True}
    ordered = next((one for one in waiting if one.insured_id == insured.pk and one.year == window.year), None)
    return row | {"year": window.year, "paid_on": due.paid.paid_on if due.paid else None, "ordered": ordered}


def _window_told(known: list[Window], at: datetime.datetime) -> dict[str, Any]:
    """The window that is open, and else the next one and the last one, with their days."""
    found = read.window_at(known, at)
    past = [window for window in known if window.last_day and window.last_day <= at.date()]
    return {
        "open": found,
        "monthly": found is not None and found.plan.collection == MONTH_END,
        "coming": None if found else read.next_window(known, at.date()),
        "past": None if found else max(past, key=lambda window: window.opens_on, default=None),
    }


def _payment_row(payment: PremiumPayment, member: Member) -> dict[str, Any]:
    mine = payment.payer_id == member.pk
    relation = payment.grant.relation if payment.grant else None
    if mine:
        who = who_is(payment.insured, relation)
    else:
        term = kinship.term(kinship.inverse(relation), payment.payer.sex) if relation else ""
        who = _("By %(payer)s") % {"payer": f"{term} {masks.mask_name(payment.payer.name)}".strip()}
    return {"payment": payment, "who": who, "mine": mine, "group": language.name_of(payment.group_names)}


def _order_row(order: PremiumOrder) -> dict[str, Any]:
    who = who_is(order.insured, order.grant.relation if order.grant else None)
    return {"order": order, "who": who, "group": language.name_of(order.group_names)}


def undebited_told(order: PremiumOrder) -> dict[str, Any]:
    """When the debit of an order failed, and why."""
    assert order.ended_at is not None  # a failed one has ended, by CHECK
    why = "premium_debit" if order.refused == "insufficient_balance" else "premium"
    return {"on": timezone.localdate(order.ended_at), "why": reasons.tell(order.refused, {"why": why}).reason}


@verified
@require_http_methods(["GET", "HEAD"])
def group(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Which group the person belongs to, with the amount of each, and what pays; chosen, it leads to the check."""
    choice = _choice(request, public_id)
    at = timezone.localtime(clock.now())
    if choice.refused:
        return _refused(request, choice, choice.refused)
    enrolment = read.resident_enrolment(choice.member, at.date())
    known = read.windows(enrolment.region_id)
    window = read.window_at(known, at)
    if window is None:
        context = {"window": _window_told(known, at), "who": _who(choice)}
        return render(request, "settlements/premium_closed.html", context)
    if read.standing_payment(choice.member.pk, window.insurance, window.year):
        return _refused(request, choice, Refused("duplicate", why="premium", year=window.year))
    groups = read.groups_for(window, choice.member)
    offered = group_choices(groups)
    sources = [source_held(request.user.member, source) for source in choice.sources]
    form = GroupForm(offered, sources, request.GET or None)
    if form.is_valid():
        url = reverse("settlements:premium_check", args=[choice.member.public_id])
        return redirect(f"{url}?{urlencode(form.cleaned_data)}")
    context = {
        "form": form,
        "who": _who(choice),
        "window": window,
        "groups": offered,
        "own_routes": [language.name_of(each.names) for each in groups if each.own_route],
        "region": enrolment.region,
    }
    return render(request, "settlements/premium_group.html", context, status=422 if form.errors else 200)


def group_choices(groups: Iterable[PremiumGroup]) -> list[tuple[str, str]]:
    """The groups with their amounts, without those that pay by a way of their own."""
    told = _("%(group)s: %(amount)s yuan")
    return [
        (each.key, told % {"group": language.name_of(each.names), "amount": f"{each.amount:,.2f}"})
        for each in groups
        if not each.own_route
    ]


def _choice(request: HttpRequest, public_id: UUID) -> Choice:
    """The person of the address, if it is oneself or somebody who may use one's account; else there is no such page."""
    choices = read.people_to_pay_for(request.user.member, clock.today())
    found = next((choice for choice in choices if choice.member.public_id == public_id), None)
    if found is None:
        deny(request)
        raise AssertionError("deny() raises")
    return found


def _who(choice: Choice) -> str:
    return who_is(choice.member, choice.grant.relation if choice.grant else None)


def _refused(request: HttpRequest, choice: Choice, refused: Refused, status: int = 200) -> HttpResponse:
    context = {"who": _who(choice), "told": reasons.tell_refused(refused), "code": refused.code}
    return render(request, "settlements/premium_refused.html", context, status=status)


@verified
@require_http_methods(["GET", "HEAD", "POST"])
@fresh_proof_required
def check(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Whose premium, how much, out of which account: nothing is paid before this was confirmed."""
    choice = _choice(request, public_id)
    asked = request.POST if request.method == "POST" else request.GET
    code = asked.get("group", "")
    try:
        if choice.refused:
            raise choice.refused
        source = source_of(request.user.member, choice, asked)
        premium, window = premiums.premium_of(choice.member, code, clock.now())
    except Refused as refused:
        return _refused(request, choice, refused, 422 if request.method == "POST" else 200)
    if request.method == "POST":
        return done_once(request, lambda: _pay(request, choice, premium, window, source))
    if paid := read.standing_payment(choice.member.pk, window.insurance, window.year):
        # Back from the receipt: never "not paid yet" of what is paid.
        if paid.payer_id == request.user.member_id:
            return redirect("settlements:premium", public_id=paid.public_id)
        return _refused(request, choice, Refused("duplicate", why="premium", year=window.year))
    held = held_in(request.user.member, source)
    context = {
        "form": OnceForm(),
        "who": _who(choice),
        "person": choice.member,
        "premium": premium,
        "group": language.name_of(premium.group_names),
        "window": window,
        "source": source,
        "from_wallet": source == WalletSource.WALLET,
        "account": accounts_read.account_of(request.user.member, clock.today()),
        "several": len(choice.sources) > 1,
        "held": held,
        "left": held - premium.amount,
        "monthly": is_monthly(window, source),
        "due_on": debited_on(clock.local(clock.now())),
    }
    return render(request, "settlements/premium_check.html", context)


def source_of(payer: Member, choice: Choice, asked: Mapping[str, str]) -> str:
    """What was chosen to pay, else the first that may. Raises Refused where what was chosen may not: never the other."""
    source = asked.get("source", "")
    if source not in WalletSource.values:
        return choice.sources[0]
    if source not in choice.sources:
        read.payer_of(payer, choice.member, clock.today(), source)
    return source


def is_monthly(window: Window, source: str) -> bool:
    """Accounts are debited at the month's end where the region collects so; a wallet pays at once."""
    return window.plan.collection == MONTH_END and source == WalletSource.ACCOUNT


def _pay(request: HttpRequest, choice: Choice, premium: premiums.Premium, window: Window, source: str) -> HttpResponse:
    payer, at = request.user.member, clock.now()
    try:
        if is_monthly(window, source):
            order = premiums.order(payer=payer, insured=choice.member, premium=premium, at=at, by=request.user)
            facts = {"day": dates.day(order.due_on)}
            messages.success(
                request, _("Noted. On %(day)s the premium is debited if the account holds enough.") % facts
            )
            return redirect("settlements:premiums")
        payment = premiums.pay(
            payer=payer,
            insured=choice.member,
            premium=premium,
            on=clock.today(),
            key=f"page:{request.POST['token']}",
            by=request.user,
            source=source,
        )
    except Refused as refused:
        return _refused(request, choice, refused, 422)
    messages.success(request, _("Paid. You can print this page as your receipt."))
    return redirect("settlements:premium", public_id=payment.public_id)


@require_safe
@member_required()
def payment(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """One payment, as a receipt: for who paid it and for whom it was paid."""
    found = _payment(request, public_id)
    context = {
        **_payment_row(found, request.user.member),
        "insured": found.insured,
        "payer": found.payer,
        "may_refund": _may_refund(request, found),
        "printed_at": clock.now(),
    }
    return render(request, "settlements/premium.html", context)


def _payment(request: HttpRequest, public_id: UUID) -> PremiumPayment:
    found = read.payment_visible_to(request.user, public_id)
    if found is None:
        deny(request)
        raise AssertionError("deny() raises")
    return found


def _may_refund(request: HttpRequest, found: PremiumPayment) -> bool:
    mine = found.payer_id == request.user.member_id
    return mine and found.refunded_on is None and may_refund(found.benefit_from, clock.today())


@verified
@require_http_methods(["GET", "HEAD", "POST"])
@fresh_proof_required
def refund(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Giving a premium back, with what that means; only who paid it, before the benefits begin."""
    found = _payment(request, public_id)
    if found.payer_id != request.user.member_id:
        deny(request)
    if request.method == "POST":
        return done_once(request, lambda: _refund(request, found))
    if not _may_refund(request, found):
        return redirect("settlements:premium", public_id=public_id)
    context = {**_payment_row(found, request.user.member), "form": OnceForm()}
    return render(request, "settlements/premium_refund.html", context)


def _refund(request: HttpRequest, found: PremiumPayment) -> HttpResponse:
    try:
        key = f"page:{request.POST['token']}"
        premiums.refund(payment=found, on=clock.today(), by=request.user, key=key)
    except Refused as refused:
        messages.error(request, str(reasons.tell_refused(refused)))
    else:
        back = _("Given back: the money is in your account again.")
        messages.success(request, _("Given back: the money is in your wallet again.") if found.wallet_id else back)
    return redirect("settlements:premium", public_id=found.public_id)


@verified
@require_http_methods(["GET", "HEAD", "POST"])
@fresh_proof_required
def withdraw(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Taking back an order before the month's end."""
    order = read.order_visible_to(request.user, public_id)
    if order is None:
        deny(request)
        raise AssertionError("deny() raises")
    if request.method == "POST":
        return done_once(request, lambda: _withdraw(request, order))
    if order.state != OrderState.WAITING:
        return redirect("settlements:premiums")
    return render(request, "settlements/premium_withdraw.html", _order_row(order) | {"form": OnceForm()})


def _withdraw(request: HttpRequest, order: PremiumOrder) -> HttpResponse:
    try:
        premiums.withdraw(order=order, at=clock.now(), by=request.user)
    except Refused as refused:
        messages.error(request, str(reasons.tell_refused(refused)))
    else:
        messages.success(request, _("Taken back. Nothing will be debited for it."))
    return redirect("settlements:premiums")

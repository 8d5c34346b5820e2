"""The medical insurance wallet: what is in it, opening it, sending money, accepting it. Never mixed with family sharing."""

import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from allauth.core import ratelimit
from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from accounts import clock, kinship, masks, reasons
from accounts.decorators import deny, fresh_proof_required, member_required
from accounts.enums import IdentityLevel
from accounts.errors import Refused
from accounts.models import Member
from accounts.money import ZERO
from accounts.once import OnceForm, done_once
from accounts.queries import enrolment_on
from family.actions.sharing import find_relative
from family.queries import relation_findings
from family.telling import tell_at_relation
from settlements.actions import wallet as act
from settlements.domain.wallet import CLOSES, MOST, OPENS, TRANSFERS_A_DAY, in_hours
from settlements.enums import TransferState, WalletSource
from settlements.forms.paying import PlaceForm, SendForm
from settlements.models import Wallet, WalletTransfer
from settlements.queries import member as accounts_read
from settlements.queries import wallet as read
from settlements.telling import movements

PER_PAGE = 10
SESSION = "wallet_send"
verified = member_required(IdentityLevel.VERIFIED)
TAGS = {TransferState.PENDING: "wait", TransferState.ACCEPTED: "ok", TransferState.RETURNED: "off"}
LIMITS = {"most": MOST, "times": TRANSFERS_A_DAY, "opens": OPENS, "closes": CLOSES}


@require_safe
@member_required()
def home(request: HttpRequest) -> HttpResponse:
    """Balance, what waits to be accepted, what is on its way, every transfer and movement; before opening, what it is."""
    member, at = request.user.member, clock.now()
    found = read.wallet_of(member)
    if found is None:
        return _not_open(request, member, at)
    page = Paginator(read.transfers_visible_to(request.user), PER_PAGE).get_page(request.GET.get("page"))
    # What the balance counts already belongs into the list below it.
    due = read.due_lines(found, clock.today())
    context = LIMITS | {
        "form": OnceForm(),
        "wallet": found,
        "place": read.place_of_use(found, clock.today()),
        "region_pays": read.pays_in_region(member, clock.today()),
        "balance": read.balance_of(found, at),
        "waiting": [transfer_row(sent, member, at) for sent in read.waiting_for(member, at)],
        "on_its_way": read.on_its_way(member, at),
        "in_hours": in_hours(at),
        "left_today": max(TRANSFERS_A_DAY - read.sent_on(found, at), 0),
        "page_obj": page,
        "rows": [transfer_row(sent, member, at) for sent in page],
        "moves": movements.tell_wallet([*due, *read.lines(read.entries_of(found)[:PER_PAGE])][:PER_PAGE]),
        "more": read.entries_of(found).count() + len(due) > PER_PAGE,
    }
    return render(request, "settlements/wallet.html", context)


def _not_open(request: HttpRequest, member: Member, at: datetime.datetime, status: int = 200) -> HttpResponse:
    context: dict[str, Any] = LIMITS | {
        "form": OnceForm(),
        "waiting": [transfer_row(sent, member, at) for sent in read.waiting_for(member, at)],
    }
    try:
        context["region"] = read.enrolled(member, clock.today()).region
    except Refused as refused:
        context["told"] = reasons.tell_refused(refused)
    return render(request, "settlements/wallet_open.html", context, status=status)


def transfer_row(sent: WalletTransfer, member: Member, at: datetime.datetime) -> dict[str, Any]:
    """A transfer as one of the two sees it; the relation is told only to who declared it."""
    mine = sent.sender_id == member.pk
    other = sent.receiver if mine else sent.sender
    relation = sent.relation if mine or not sent.relation else kinship.inverse(sent.relation)
    term = kinship.term(relation, other.sex) if relation else ""
    state = read.state_at(sent, at)
    return {
        "sent": sent,
        "mine": mine,
        "who": f"{term} {masks.mask_name(other.name)}".strip(),
        "state": state,
        "word": TransferState(state.code).label,
        "tag": TAGS[TransferState(state.code)],
    }


@require_safe
@member_required()
def moves(request: HttpRequest) -> HttpResponse:
    """Every movement of the wallet, newest first."""
    found = read.wallet_of(request.user.member)
    if found is None:
        return redirect("settlements:wallet")
    page = Paginator(read.entries_of(found), PER_PAGE * 2).get_page(request.GET.get("page"))
    due = read.due_lines(found, clock.today()) if page.number == 1 else []
    context = {"page_obj": page, "moves": movements.tell_wallet([*due, *read.lines(page)])}
    return render(request, "settlements/wallet_moves.html", context)


@require_safe
@member_required()
def places(request: HttpRequest) -> HttpResponse:
    """The hospitals and pharmacies that accept the wallet, to be searched by name."""
    member, on = request.user.member, clock.today()
    found = read.wallet_of(member)
    enrolment = enrolment_on(member, on)
    region = read.place_of_use(found, on) if found else enrolment.region if enrolment else None
    form = PlaceForm(request.GET)
    name = form.cleaned_data["name"] if form.is_valid() else ""
    takes_part = region is not None and read.takes_part(region, on)
    rows = read.places_that_accept(region, name) if takes_part else []
    page = Paginator(rows, PER_PAGE * 2).get_page(request.GET.get("page"))
    context = {"form": form, "region": region, "takes_part": takes_part, "name": name, "page_obj": page}
    return render(request, "settlements/wallet_places.html", context, status=422 if form.errors else 200)


@verified
@require_http_methods(["GET", "HEAD", "POST"])
@fresh_proof_required
def open_it(request: HttpRequest) -> HttpResponse:
    """Open the wallet at the place where one is insured."""
    if request.method != "POST":  # a login that ended before the button was pressed leads back here
        return redirect("settlements:wallet")

    def work() -> HttpResponse:
        try:
            act.open_wallet(member=request.user.member, by=request.user, at=clock.now())
        except Refused:
            return _not_open(request, request.user.member, clock.now(), 422)
        messages.success(request, _("Your wallet is open."))
        return redirect("settlements:wallet")

    return done_once(request, work)


@verified
@require_http_methods(["GET", "HEAD", "POST"])
@fresh_proof_required
def pays(request: HttpRequest) -> HttpResponse:
    """Let the wallet pay bills, or no longer; what it has paid stays paid."""
    if request.method != "POST":
        return redirect("settlements:wallet")

    def work() -> HttpResponse:
        on = request.POST.get("pays") == "yes"
        try:
            act.let_pay(member=request.user.member, pays=on, by=request.user, at=clock.now())
        except Refused as refused:
            messages.error(request, str(reasons.tell_refused(refused)))
        else:
            done = _("Your wallet pays bills from now on.") if on else _("Your wallet no longer pays bills.")
            messages.success(request, done)
        return redirect("settlements:wallet")

    return done_once(request, work)


@verified
@require_http_methods(["GET", "HEAD", "POST"])
def send(request: HttpRequest) -> HttpResponse:
    """Step 1: to whom, out of what, how much. Nothing has left yet."""
    member = request.user.member
    found = read.wallet_of(member)
    if found is None:
        return redirect("settlements:wallet")
    sources = send_sources(member, found)
    known = request.session.get(SESSION, {})
    form = SendForm(sources, request.POST or None, initial=known.get("form", {}))
    if form.is_valid():
        return done_once(request, lambda: _keep(request, form, found))
    return _send_page(request, form, found)


def send_sources(member: Member, found: Wallet) -> list[tuple[str, str]]:
    """What there is to send from, with what it holds; the account first."""
    sources = [WalletSource.ACCOUNT.value] if accounts_read.account_of(member, clock.today()) else []
    if read.balance_of(found, clock.now()) > ZERO or not sources:
        sources.append(WalletSource.WALLET.value)
    return [source_held(member, source) for source in sources]


def source_held(member: Member, source: str) -> tuple[str, str]:
    """The account or the wallet of a member as a choice, with what it holds for relatives now."""
    held = held_in(member, source)
    if source == WalletSource.WALLET:
        label = _("Wallet: %(held)s yuan")
    else:
        account = accounts_read.account_of(member, clock.today())
        two = account is not None and account.region.two_buckets
        label = _("Personal account, earlier years: %(held)s yuan") if two else _("Personal account: %(held)s yuan")
    return source, label % {"held": f"{held:,.2f}"}


def held_in(member: Member, source: str) -> Decimal:
    """Yuan of earlier years in the account, or in the wallet, now."""
    if source == WalletSource.WALLET:
        found = read.wallet_of(member)
        return read.balance_of(found, clock.now()) if found else ZERO
    account = accounts_read.account_of(member, clock.today())
    return accounts_read.balance_of(account, clock.today()).historical if account else ZERO


def _send_page(request: HttpRequest, form: SendForm, found: Wallet) -> HttpResponse:
    at = clock.now()
    sources = form.fields["source"].choices
    context = LIMITS | {
        "form": form,
        "only_source": sources[0][1] if len(sources) == 1 else "",
        "on_its_way": read.on_its_way(request.user.member, at),
        "in_hours": in_hours(at),
        "left_today": max(TRANSFERS_A_DAY - read.sent_on(found, at), 0),
    }
    # Nobody fills in a form that can only be refused; what was sent already is shown with its mistakes.
    free = context["in_hours"] and context["left_today"] and not context["on_its_way"]
    context["may_fill_in"] = form.is_bound or free
    return render(request, "settlements/wallet_send.html", context, status=422 if form.errors else 200)


def _keep(request: HttpRequest, form: SendForm, found: Wallet) -> HttpResponse:
    data = form.cleaned_data
    try:
        # Names and numbers must not be tried out until they fit somebody.
        if not ratelimit.consume(request, action="find_relative"):
            raise Refused("too_many_tries")
        receiver = find_relative(name=data["name"], id_number=data["id_number"])
        if receiver.pk == request.user.member_id:
            raise Refused("not_permitted", why="wallet_self")
        if tell_at_relation(form, relation_findings(request.user.member, receiver, data["relation"], clock.today())):
            return _send_page(request, form, found)
        read.enrolled(receiver, clock.today())
    except Refused as refused:
        form.add_error(None, str(reasons.tell_refused(refused)))
        return _send_page(request, form, found)
    entered = {name: str(data[name]) for name in ("name", "id_number", "relation", "source")}
    request.session[SESSION] = {"form": entered | {"amount": f"{data['amount']:.2f}"}, "receiver": receiver.pk}
    return redirect("settlements:wallet_check")


@verified
@require_http_methods(["GET", "HEAD", "POST"])
@fresh_proof_required
def check(request: HttpRequest) -> HttpResponse:
    """Step 2: that the money leaves for good is said once more; confirmed, it is on its way."""
    known = request.session.get(SESSION)
    form = OnceForm(request.POST or None)
    if request.method == "POST":
        # Also without what was entered: a form sent twice is led to where the first one went.
        return done_once(request, lambda: _send(request, known) if known else redirect("settlements:wallet_send"))
    if not known:
        return redirect("settlements:wallet_send")
    return _check_page(request, known, form)


def _check_page(request: HttpRequest, known: dict[str, Any], form: OnceForm, told: Any = None) -> HttpResponse:
    receiver = Member.objects.get(pk=known["receiver"])
    entered = SendForm.base_fields["amount"].clean(known["form"]["amount"])
    context = LIMITS | {
        "form": form,
        "told": told,
        "term": kinship.term(known["form"]["relation"], receiver.sex),
        "name": masks.mask_name(receiver.name),
        "amount": entered,
        "from_wallet": known["form"]["source"] == WalletSource.WALLET,
    }
    return render(request, "settlements/wallet_check.html", context, status=422 if told else 200)


def _send(request: HttpRequest, known: dict[str, Any]) -> HttpResponse:
    entered = known["form"]
    try:
        sent = act.transfer(
            sender=request.user.member,
            receiver=Member.objects.get(pk=known["receiver"]),
            amount=SendForm.base_fields["amount"].clean(entered["amount"]),
            at=clock.now(),
            key=f"page:{request.POST['token']}",
            by=request.user,
            source=entered["source"],
            relation=entered["relation"],
        )
    except Refused as refused:
        return _check_page(request, known, OnceForm(), reasons.tell_refused(refused))
    request.session.pop(SESSION, None)
    messages.success(request, _("Sent. The money has left and waits to be accepted."))
    return redirect("settlements:transfer", public_id=sent.public_id)


@require_safe
@member_required()
def transfer(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """One transfer, for the two whom it is about; the receiver can accept it here."""
    found = _transfer(request, public_id)
    at, member = clock.now(), request.user.member
    row = transfer_row(found, member, at)
    context = row | {
        "form": OnceForm(),
        "may_accept": not row["mine"] and row["state"].code == TransferState.PENDING,
        "has_wallet": read.wallet_of(member) is not None,
        "printed_at": at,
    }
    return render(request, "settlements/transfer.html", context)


def _transfer(request: HttpRequest, public_id: UUID) -> WalletTransfer:
    found = read.transfer_visible_to(request.user, public_id)
    if found is None:
        deny(request)
        raise AssertionError("deny() raises")
    return found


@verified
@require_http_methods(["GET", "HEAD", "POST"])
@fresh_proof_required
def accept(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Take a transfer; whoever has no wallet yet opens it by that, as the button says."""
    found = _transfer(request, public_id)
    if found.receiver_id != request.user.member_id:
        deny(request)
    if request.method != "POST":
        return redirect("settlements:transfer", public_id=public_id)

    def work() -> HttpResponse:
        at = clock.now()
        try:
            act.open_wallet(member=request.user.member, by=request.user, at=at)
            act.accept(transfer=found, at=at, by=request.user, key=f"page:{request.POST['token']}")
        except Refused as refused:
            messages.error(request, str(reasons.tell_refused(refused)))
        else:
            messages.success(request, _("Accepted: the money is in your wallet."))
        return redirect("settlements:transfer", public_id=public_id)

    return done_once(request, work)

"""The wallet at the window, for the member whose record is open: open it, let it pay bills or not, accept a transfer, send
one, print the proof."""

import hashlib
import json
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from accounts import clock, dates, kinship, masks, reasons
from accounts.amounts import yuan_unit
from accounts.decorators import role_required
from accounts.enums import Role
from accounts.errors import Refused
from accounts.models import Member
from accounts.money import plain
from counter import desk
from counter.actions.consents import Asked
from counter.desk import Opened, needs_opened
from counter.forms.money import WindowSendForm
from counter.papers.paying import print_transfer
from counter.papers.receipts import PAPERS
from counter.views.agreeing import Step, agree
from counter.views.desk import opened_context, printed
from family.actions.sharing import find_relative
from family.queries import relation_findings
from family.telling import tell_at_relation
from settlements.actions import wallet as act
from settlements.domain.wallet import TRANSFERS_A_DAY, in_hours
from settlements.enums import TransferState, WalletSource
from settlements.models import Wallet, WalletTransfer
from settlements.queries import wallet as read
from settlements.views.wallet import LIMITS, send_sources, transfer_row

clerk = role_required(Role.CLERK)
PER_PAGE = 10


@clerk
@needs_opened
@require_http_methods(["GET", "HEAD", "POST"])
def home(request: HttpRequest, serving: Opened) -> HttpResponse:
    """Balance, what waits to be accepted, what is on its way, whether it pays bills, every transfer; without a wallet,
    opening it."""
    if request.method != "POST":
        desk.look(request, serving.member, "wallet", serving.reason)
    member, at = serving.member, clock.now()
    found = read.wallet_of(member)
    page = Paginator(read.transfers_of(member), PER_PAGE).get_page(request.GET.get("page"))
    context: dict[str, Any] = LIMITS | {
        "wallet": found,
        "waiting": [transfer_row(sent, member, at) for sent in read.waiting_for(member, at)],
        "page_obj": page,
        "rows": [transfer_row(sent, member, at) for sent in page],
    }
    if found is not None:
        context |= _open_wallet(found, member) | {
            "place": read.place_of_use(found, clock.today()),
            "region_pays": read.pays_in_region(member, clock.today()),
        }
        if request.method != "POST":
            return _page(request, serving, context, 200)
    else:
        try:
            read.enrolled(member, clock.today())
        except Refused as refused:
            return _page(request, serving, context | {"problem": reasons.tell_refused(refused)}, 200)
    step = _open_step(request, serving)
    return agree(request, serving, step, lambda more, status: _page(request, serving, context | more, status))


def _open_wallet(found: Wallet, member: Member) -> dict[str, Any]:
    at = clock.now()
    return {
        "balance_in": read.balance_of(found, at),
        "on_its_way": read.on_its_way(member, at),
        "in_hours": in_hours(at),
        "left_today": max(TRANSFERS_A_DAY - read.sent_on(found, at), 0),
    }


def _page(request: HttpRequest, serving: Opened, context: dict[str, Any], status: int) -> HttpResponse:
    context = opened_context(request, serving) | {"service": "wallet"} | context
    return render(request, "counter/wallet.html", context, status=status)


def _open_step(request: HttpRequest, serving: Opened) -> Step:
    def then(done: Wallet) -> HttpResponse:
        messages.success(request, _("The wallet is open."))
        return redirect("counter:wallet")

    return Step(
        asked=Asked(act="wallet_open"),
        title=_("Opening the medical insurance wallet"),
        rows=[{"label": _("Wallet of"), "value": masks.mask_name(serving.member.name)}],
        work=lambda key: act.open_wallet(member=serving.member, by=request.user, at=clock.now()),
        then=then,
        hidden={},
        button=_("Open the wallet"),
    )


@clerk
@needs_opened
@require_http_methods(["GET", "HEAD", "POST"])
def pays(request: HttpRequest, serving: Opened) -> HttpResponse:
    """Whether the wallet pays the member's bills: the other of what it does now, as he agrees."""
    found = read.wallet_of(serving.member)
    # A form sent twice asks for what it asked for, and gets its first answer.
    wanted = {"yes": True, "no": False}.get(request.POST.get("pays", ""))
    if found is None or not (wanted is not None or read.pays_in_region(serving.member, clock.today())):
        return redirect("counter:wallet")
    if request.method != "POST":
        desk.look(request, serving.member, "wallet", serving.reason)
    step = _pays_step(request, serving, not found.pays_care if wanted is None else wanted)

    def page(more: dict[str, Any], status: int) -> HttpResponse:
        context = opened_context(request, serving) | {"service": "wallet"} | more
        return render(request, "counter/wallet_pays.html", context, status=status)

    return agree(request, serving, step, page)


def _pays_step(request: HttpRequest, serving: Opened, pays: bool) -> Step:
    title = _("Letting the wallet pay bills") if pays else _("Letting the wallet pay no more bills")
    rows = [
        (_("Wallet of"), masks.mask_name(serving.member.name)),
        (
            _("From then on"),
            _("it pays what the own account leaves of the member's bills, before relatives' accounts and cash")
            if pays
            else _("it pays no bills; premiums and transfers stay possible, and what it has paid stays paid"),
        ),
    ]

    def then(done: Wallet) -> HttpResponse:
        on, off = _("The wallet pays bills from now on."), _("The wallet no longer pays bills.")
        messages.success(request, on if done.pays_care else off)
        return redirect("counter:wallet")

    return Step(
        asked=Asked(act="wallet_pays" if pays else "wallet_pays_not"),
        title=title,
        rows=[{"label": label, "value": value} for label, value in rows],
        work=lambda key: act.let_pay(member=serving.member, pays=pays, by=request.user, at=clock.now()),
        then=then,
        hidden={"pays": "yes" if pays else "no"},
        button=_("Let it pay bills") if pays else _("Let it pay no bills"),
    )


@clerk
@needs_opened
@require_http_methods(["GET", "HEAD", "POST"])
def transfer(request: HttpRequest, serving: Opened, public_id: UUID) -> HttpResponse:
    """One transfer from or to the member: the proof in print; one that waits for him can be accepted."""
    found = _transfer(serving, public_id)
    if request.method != "POST":
        desk.look(request, serving.member, f"transfer {found.number}", serving.reason)
    row = transfer_row(found, serving.member, clock.now())
    waits = not row["mine"] and row["state"].code == TransferState.PENDING

    def page(context: dict[str, Any], status: int = 200) -> HttpResponse:
        base = opened_context(request, serving) | row | {"papers": PAPERS, "service": "wallet"}
        return render(request, "counter/transfer.html", base | context, status=status)

    # A form sent twice comes when it is accepted already, and gets its first answer.
    if not waits and not (not row["mine"] and request.POST.get("do") == "act"):
        return page({})
    return agree(request, serving, _accept_step(request, serving, found, row["who"]), page)


def _transfer(serving: Opened, public_id: UUID) -> WalletTransfer:
    """A transfer of the member whose record is open, or 404."""
    return get_object_or_404(read.transfers_of(serving.member), public_id=public_id)


def _accept_step(request: HttpRequest, serving: Opened, found: WalletTransfer, who: str) -> Step:
    rows = [
        (_("From"), who),
        (_("Amount"), yuan_unit(found.amount)),
        (_("Returns if not accepted"), dates.moment(found.expires_at)),
        (_("Number"), found.number),
    ]

    def work(key: str) -> WalletTransfer:
        at = clock.now()
        act.open_wallet(member=serving.member, by=request.user, at=at)
        return act.accept(transfer=found, at=at, by=request.user, key=key)

    def then(done: WalletTransfer) -> HttpResponse:
        messages.success(request, _("Accepted: the money is in the member's wallet. Print the proof."))
        return redirect("counter:transfer", public_id=done.public_id)

    has_wallet = read.wallet_of(serving.member) is not None
    return Step(
        asked=Asked(act="wallet_accept", facts={"transfer": found.number, "amount": plain(found.amount)}),
        title=_("Acceptance of a wallet transfer"),
        rows=[{"label": label, "value": value} for label, value in rows],
        work=work,
        then=then,
        hidden={},
        button=_("Accept") if has_wallet else _("Open the wallet and accept"),
    )


@clerk
@needs_opened
@require_http_methods(["GET", "HEAD", "POST"])
def send(request: HttpRequest, serving: Opened) -> HttpResponse:
    """To whom, out of what, how much; then the check and the member's consent, and it is on its way."""
    found = read.wallet_of(serving.member)
    if found is None:
        return redirect("counter:wallet")
    if request.method != "POST":
        desk.look(request, serving.member, "wallet", serving.reason)
    form = WindowSendForm(send_sources(serving.member, found), request.POST or None)
    if not form.is_valid():
        return _send_page(request, serving, found, {"form": form}, 422 if form.errors else 200)
    try:
        receiver = _receiver(serving, form)
    except Refused as refused:
        form.add_error(None, str(reasons.tell_refused(refused)))
        return _send_page(request, serving, found, {"form": form}, 422)
    if tell_at_relation(
        form, relation_findings(serving.member, receiver, form.cleaned_data["relation"], clock.today())
    ):
        return _send_page(request, serving, found, {"form": form}, 422)
    seen = _seen(form)
    data = request.POST.copy()
    checked = request.POST.get("seen") == seen
    if not checked:
        data["seen"] = seen
        form = WindowSendForm(send_sources(serving.member, found), data)
        form.is_valid()
    step = _send_step(request, serving, form, receiver)

    def page(context: dict[str, Any], status: int) -> HttpResponse:
        return _send_page(request, serving, found, {"form": form} | context, status)

    # Changed since it was looked at: looked at again before anything is done.
    return agree(request, serving, step, page, may_act=checked)


def _receiver(serving: Opened, form: WindowSendForm) -> Member:
    receiver = find_relative(name=form.cleaned_data["name"], id_number=form.cleaned_data["id_number"])
    if receiver.pk == serving.member.pk:
        raise Refused("not_permitted", why="wallet_self")
    read.enrolled(receiver, clock.today())
    return receiver


def _seen(form: WindowSendForm) -> str:
    """A digest of what was entered: what is sent is what was looked at."""
    names = ("name", "id_number", "relation", "source", "amount")
    return hashlib.sha256(json.dumps([str(form.cleaned_data[name]) for name in names]).encode()).hexdigest()


def _send_page(
    request: HttpRequest, serving: Opened, found: Wallet, context: dict[str, Any], status: int
) -> HttpResponse:
    base = opened_context(request, serving) | LIMITS | _open_wallet(found, serving.member)
    bad = {"has_errors": status == 422}
    return render(request, "counter/wallet_send.html", base | {"service": "wallet"} | bad | context, status=status)


def _send_step(request: HttpRequest, serving: Opened, form: WindowSendForm, receiver: Member) -> Step:
    data = form.cleaned_data
    from_wallet = data["source"] == WalletSource.WALLET
    who = f"{kinship.term(data['relation'], receiver.sex)} {masks.mask_name(receiver.name)}"
    rows = [
        (_("Receiver"), who),
        (_("Amount"), yuan_unit(data["amount"])),
        (_("Out of"), _("the wallet of the member") if from_wallet else _("the personal account of the member")),
    ]

    def then(done: WalletTransfer) -> HttpResponse:
        messages.success(request, _("Sent: it waits to be accepted. Print the proof for the member."))
        return redirect("counter:transfer", public_id=done.public_id)

    return Step(
        asked=Asked(
            act="wallet_send",
            facts={"to": str(receiver.public_id), "amount": plain(data["amount"]), "source": data["source"]},
        ),
        title=_("Wallet transfer to a relative"),
        rows=[{"label": label, "value": value} for label, value in rows],
        work=lambda key: act.transfer(
            sender=serving.member,
            receiver=receiver,
            amount=data["amount"],
            at=clock.now(),
            key=key,
            by=request.user,
            source=data["source"],
            relation=data["relation"],
        ),
        then=then,
        hidden={},
        button=_("Transfer %(amount)s") % {"amount": yuan_unit(data["amount"])},
    )


@clerk
@needs_opened
@require_POST
def paper(request: HttpRequest, serving: Opened, public_id: UUID) -> HttpResponse:
    """The proof of a transfer as PDF, on the 80 mm roll or A4; later prints are marked as copies."""
    found = _transfer(serving, public_id)

    def print_on(paper: str) -> bytes:
        return print_transfer(transfer=found, member=serving.member, by=request.user, at=clock.now(), paper=paper)

    return printed(request, print_on, f"transfer-{found.number}.pdf", redirect("counter:transfer", public_id=public_id))

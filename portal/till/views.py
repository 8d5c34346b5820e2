"""The pages of the till. They exist only in the demo, are open to anybody, and work without a script."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.contrib.auth.decorators import login_not_required
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from accounts import clock
from accounts.models import Institution, Member
from accounts.templatetags.portal import first_id
from portal.till import choosing, steps, telling
from portal.till import visit as visits
from portal.till.calling import Declined, Line, LineTaken, NoAnswer, key_of, line_of
from portal.till.forms import AccountForm, ItemForm, PatientSearch
from portal.till.telling import Problem
from portal.till.visit import MOST_ITEMS, Item, Stage, Visit
from settlements.models import CatalogueItem
from settlements.queries.catalogue import catalogue_items

PEOPLE_A_PAGE, GOODS_SHOWN = 12, 8
# Button -> what it does on the line.
STEPS: dict[str, Callable[[Line], None]] = {"quote": steps.quote, "settle": steps.settle, "reverse": steps.reverse}

PHARMACY = {"quote": "2101", "settle": "2102", "reverse": "2103"}
CLINIC = {"quote": "2206", "settle": "2207", "reverse": "2208"}


@login_not_required
@require_safe
def start(request: HttpRequest) -> HttpResponse:
    """Choose the place."""
    going_on = visits.load(request.session)
    place = choosing.place(going_on.institution) if going_on and going_on.person else None
    return render(request, "portal/till/start.html", {"places": choosing.places(), "going_on": place})


@login_not_required
@require_http_methods(["GET", "HEAD", "POST"])
def patients(request: HttpRequest, code: str) -> HttpResponse:
    """Choose the patient; choosing shows his card (1101)."""
    institution = choosing.place(code)
    if institution is None:
        raise Http404
    context: dict[str, Any] = {}
    if request.method == "POST":
        chosen = steps.begin(institution, _member(request.POST.get("member", "")))
        if _takes_one_for_own(institution):
            chosen.flag = "2"
        context["problem"] = problem = _on_line(chosen, "look_up", steps.look_up)
        visits.save(request.session, chosen)
        if problem is None:
            return redirect("till:visit")
        context |= _messages(request, chosen)
    return render(
        request,
        "portal/till/patients.html",
        context | _people(request, institution),
        status=422 if context else 200,
    )


def _member(text: str) -> Member:
    try:
        return Member.objects.get(public_id=UUID(text))
    except (ValueError, Member.DoesNotExist):
        raise Http404 from None


def _people(request: HttpRequest, institution: Institution) -> dict[str, Any]:
    on = clock.today()
    regions = choosing.regions(institution, on)
    form = PatientSearch(request.GET or None, regions=regions)
    asked = form.cleaned_data if form.is_bound and form.is_valid() else {}
    region = asked.get("region") or regions[0].pk
    found = choosing.patients(region_id=region, name=asked.get("name", ""), helped=not asked.get("everybody"), on=on)
    page = Paginator(found, PEOPLE_A_PAGE).get_page(request.GET.get("page"))
    cards = choosing.cards(list(page), on)
    return {"institution": institution, "form": form, "page_obj": page, "people": cards}


@login_not_required
@require_http_methods(["GET", "HEAD", "POST"])
def visit(request: HttpRequest) -> HttpResponse:
    """The till itself: basket, quote, settlement, reversal, and every message of the visit."""
    going_on = visits.load(request.session)
    institution = choosing.place(going_on.institution) if going_on and going_on.person else None
    if going_on is None or institution is None:
        return redirect("till:start")
    if request.method != "POST":
        return render(request, _template(request), _context(request, going_on, institution))
    do, _colon, what = request.POST.get("do", "").partition(":")
    if do == "new":
        return _new(request, going_on)
    forms = _forms(going_on, institution, request.POST)
    problem = None
    if going_on.may_change:
        problem = _change(going_on, institution, forms, do, what)
    if problem is None and all(form.is_valid() or not form.is_bound for form in forms):
        problem = _do(going_on, do, what)
    visits.save(request.session, going_on)
    bad = bool(problem) or any(form.errors for form in forms)
    if not bad and not request.htmx:
        asked = request.POST.get("q", "").strip()
        return redirect(reverse("till:visit", query={"q": asked} if asked else None))
    context = _context(request, going_on, institution, problem=problem, forms=forms if bad else None)
    return render(request, _template(request), context | {"did": do}, status=422 if bad else 200)


def _template(request: HttpRequest) -> str:
    if not request.htmx:
        return "portal/till/visit.html"
    return "portal/till/_message.html" if request.htmx.target == "message" else "portal/till/_visit.html"


def _new(request: HttpRequest, going_on: Visit) -> HttpResponse:
    """Begin again. A clinic takes back first what it registered and did not settle; if that fails, time does it."""
    if not going_on.pharmacy and going_on.mdtrt_id and not going_on.settled:
        _on_line(going_on, "give_up", steps.give_up)
    visits.forget(request.session)
    return redirect("till:patients", going_on.institution)


def _forms(going_on: Visit, institution: Institution, data: Any = None) -> list[Any]:
    """A form for each line, then that of the account."""
    lines = [
        ItemForm(data if data and f"line{number}-quantity" in data else None, item=item, number=number)
        for number, item in enumerate(going_on.items, start=1)
    ]
    one_is_own = _takes_one_for_own(institution)
    account = AccountForm(
        data if data and "flag" in data else None, one_is_own=one_is_own, initial={"flag": going_on.flag}
    )
    return [*lines, account]


def _takes_one_for_own(institution: Institution) -> bool:
    known = getattr(institution, "gateway_settings", None)
    return bool(known and known.one_is_own)


def _change(going_on: Visit, institution: Institution, forms: list[Any], do: str, what: str) -> Problem | None:
    """The basket as it was typed, and what was added or taken out. A changed basket has no quote any more."""
    before = [[item.sent for item in going_on.items], going_on.flag]
    for form in forms[:-1]:
        if form.is_bound and form.is_valid():
            form.apply()
    if forms[-1].is_bound and forms[-1].is_valid():
        going_on.flag = forms[-1].cleaned_data["flag"]
    problem = _add(going_on, institution, what) if do == "add" else None
    gone = {str(at + 1): at for at in range(len(going_on.items))}.get(what) if do == "remove" else None
    if gone is not None:
        del going_on.items[gone]
        forms.pop(gone)
    if before != [[item.sent for item in going_on.items], going_on.flag]:
        had_quote, going_on.quote = going_on.quote is not None, None
        if had_quote and do == "settle" and not any(form.errors for form in forms):
            return Problem("pay", _("The basket is not the one that was quoted any more."), _("Ask for a new quote."))
    return problem


def _add(going_on: Visit, institution: Institution, code: str) -> Problem | None:
    found: CatalogueItem | None = catalogue_items(region_id=institution.region_id, codes=[code], on=clock.today()).get(
        code
    )
    if found is None:
        return Problem("basket", _("This code is not in the catalogue of the region."), _("Choose one of the list."))
    if len(going_on.items) >= MOST_ITEMS:
        return Problem("basket", _("The basket is full: %(most)s lines.") % {"most": MOST_ITEMS}, _("Take one out."))
    price = choosing.usual_price(found)
    going_on.items.append(Item(found.code, found.name, found.item_class, "1", price))
    return None


def _do(going_on: Visit, do: str, what: str) -> Problem | None:
    """A button that talks to the gateway, if it may be pressed now."""
    if do == "again" and going_on.unsure:
        do = going_on.step
    elif do == "repeat":
        return _repeat(going_on, what)
    elif going_on.unsure or do not in STEPS:
        return None
    wanted = {"quote": going_on.may_change or going_on.unsure, "settle": bool(going_on.quote and not going_on.settled)}
    wanted["reverse"] = going_on.stage == Stage.SETTLED or (going_on.unsure and going_on.step == "reverse")
    if not wanted.get(do):
        return None
    if not going_on.items:
        return Problem("basket", _("The basket is empty."), _("Add something first."))
    return _on_line(going_on, do, STEPS[do])


def _message(going_on: Visit, number: str) -> dict[str, Any] | None:
    return next((one for one in going_on.messages if str(one["number"]) == number), None)


def _repeat(going_on: Visit, what: str) -> Problem | None:
    message = _message(going_on, what)
    if message is None:
        return None
    return _on_line(going_on, "repeat", lambda line: steps.repeat(line, message))


def _on_line(going_on: Visit, step: str, act: Callable[[Line], Any]) -> Problem | None:
    """What went wrong, if anything did; what was reached before that stays reached."""
    if step != "repeat":
        going_on.step = step
    try:
        with line_of(going_on) as line:
            act(line)
    except LineTaken:
        return telling.taken()
    except NoAnswer as error:
        return telling.no_answer(error, going_on)
    except Declined as said:
        return telling.declined(said)
    return None


def _context(
    request: HttpRequest,
    going_on: Visit,
    institution: Institution,
    *,
    problem: Problem | None = None,
    forms: list[Any] | None = None,
) -> dict[str, Any]:
    """All that the page shows."""
    forms = forms or _forms(going_on, institution)
    asked = (request.POST if request.method == "POST" else request.GET).get("q", "").strip()[:100]
    goods = choosing.goods(institution, asked, clock.today())[: GOODS_SHOWN + 1]
    paid = going_on.reversed or going_on.settled or going_on.quote
    (patient,) = choosing.cards([_member(going_on.member)], clock.today())
    return {
        "visit": going_on,
        "institution": institution,
        "patient": patient,
        "lines": list(zip(going_on.items, forms[:-1], strict=True)),
        "account_form": forms[-1],
        "problem_fields": _problems(forms),
        "asked": asked,
        "goods": [(item, choosing.usual_price(item)) for item in goods[:GOODS_SHOWN]],
        "more_goods": len(goods) > GOODS_SHOWN,
        "paid": paid,
        "payers": telling.payers(paid) if paid else [],
        "why": telling.why(paid, back=going_on.reversed is not None) if paid else "",
        "visit_cash": paid.shares.get("cash", "0") if paid else None,
        "numbers": PHARMACY if going_on.pharmacy else CLINIC,
        "problem": problem,
        "has_errors": bool(problem) or any(form.errors for form in forms),
    } | _messages(request, going_on)


def _problems(forms: list[Any]) -> list[dict[str, str]]:
    """For the summary above the basket: each mistake with its box."""
    return [
        {"text": text, "target": first_id(form[name])}
        for form in forms
        for name, errors in form.errors.items()
        for text in errors
    ]


def _messages(request: HttpRequest, going_on: Visit) -> dict[str, Any]:
    """The list of the visit's messages and the one that is looked at: the last, unless another was chosen."""
    if not going_on.messages:
        return {"messages_sent": [], "message": None}
    wanted = request.GET.get("message", "")
    chosen = _message(going_on, wanted)
    try:
        key = key_of(going_on.institution)
    except KeyError:
        raise Http404 from None
    return {
        "messages_sent": [telling.row(one) for one in going_on.messages],
        "message": telling.shown(chosen or going_on.messages[-1], going_on, key),
    }


@login_not_required
@require_safe
def receipt(request: HttpRequest) -> HttpResponse:
    """The slip to print, of a settlement or of its reversal."""
    going_on = visits.load(request.session)
    institution = choosing.place(going_on.institution) if going_on else None
    if going_on is None or institution is None or going_on.settled is None:
        return redirect("till:start")
    paid = going_on.reversed or going_on.settled
    context = {"visit": going_on, "institution": institution, "paid": paid, "payers": telling.payers(paid)}
    return render(request, "portal/till/receipt.html", context)


@login_not_required
@require_safe
def command(request: HttpRequest, number: int) -> HttpResponse:
    """A message as a file for a shell, with all that the page leaves out: it runs as it is."""
    going_on = visits.load(request.session)
    message = going_on.message(number) if going_on else None
    if going_on is None or message is None:
        raise Http404
    text = telling.command(message, key_of(going_on.institution), _member(going_on.member), full=True)
    name = f"{message['infno']}-{number}.sh"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return HttpResponse(text, content_type="text/plain; charset=utf-8", headers=headers)

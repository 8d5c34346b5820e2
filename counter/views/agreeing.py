"""The step that all acts with a member's money share at the window: print, send the code, see that he agreed, do it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _

from accounts import clock, masks, reasons
from accounts.errors import Refused
from accounts.once import done_once
from accounts.queries import enrolment_on, phone_of
from counter import desk
from counter.actions import consents
from counter.actions.consents import Asked
from counter.desk import Opened
from counter.forms.money import ConsentForm

Rows = list[dict[str, Any]]


@dataclass(frozen=True, kw_only=True)
class Step:
    """`title` and `rows` say to what the member agrees; `work` does it with the key of the form; `then` answers.

    `hidden`: what the page must send again to be the same page.
    """

    asked: Asked
    title: str
    rows: Rows
    work: Callable[[str], Any]
    then: Callable[[Any], HttpResponse]
    hidden: dict[str, str]
    button: str


Page = Callable[[dict[str, Any], int], HttpResponse]


def agree(request: HttpRequest, serving: Opened, step: Step, page: Page, *, may_act: bool = True) -> HttpResponse:
    """Answer a request for a page with such a step; `page` renders it with the context given here.

    `may_act` False: what was sent is only shown, whatever button was pressed.
    """
    phone = masks.mask_phone(phone_of(serving.member))
    do = request.POST.get("do", "") if may_act else ""
    if do == "print":
        # Whoever signs is named in full.
        desk.look(request, serving.member, "member", serving.reason, action="unmask")
        enrolment = enrolment_on(serving.member, clock.today())
        office = desk.office_of(request.user, enrolment.region if enrolment else None)
        context = {"step": step, "member": serving.member, "today": clock.today(), "office": office}
        return render(request, "counter/order_paper.html", context)
    if do == "code":
        return _send(request, serving, step, page, phone)
    if do != "act":
        return page(_context(step, phone, ConsentForm(phone)), 200)
    form = ConsentForm(phone, request.POST)
    if not form.is_valid():
        return page(_context(step, phone, form), 422)
    return done_once(request, lambda: _act(request, serving, step, page, phone, form))


def _context(
    step: Step, phone: str, form: ConsentForm, problem: reasons.Told | None = None, said: str = ""
) -> dict[str, Any]:
    bad = bool(problem or form.errors)
    return {"step": step, "phone": phone, "consent": form, "problem": problem, "said": said, "has_errors": bad}


def _send(request: HttpRequest, serving: Opened, step: Step, page: Page, phone: str) -> HttpResponse:
    form = ConsentForm(phone, initial={"consent": consents.CODE, "agent_name": request.POST.get("agent_name", "")})
    try:
        consents.send_code(member=serving.member, asked=step.asked, by=request.user, at=clock.now())
    except Refused as refused:
        return page(_context(step, phone, form, reasons.tell_refused(refused)), 422)
    return page(_context(step, phone, form, said=_("The code was sent to %(phone)s.") % {"phone": phone}), 200)


def _act(request: HttpRequest, serving: Opened, step: Step, page: Page, phone: str, form: ConsentForm) -> HttpResponse:
    key = f"window:{request.POST['token']}"
    try:
        done = consents.carry_out(
            member=serving.member,
            asked=step.asked,
            code=form.told_code,
            agent=form.cleaned_data["agent_name"] or "",
            reason=serving.reason,
            key=key,
            by=request.user,
            at=clock.now(),
            work=lambda: step.work(key),
        )
    except Refused as refused:
        told = reasons.tell_refused(refused)
        if not refused.code.startswith("code_"):
            return page(_context(step, phone, form, told), 422)
        form.add_error("code", str(told))
        return page(_context(step, phone, form), 422)
    except PermissionDenied:
        # Insured elsewhere now: the record may be read here, but not worked on.
        return page(_context(step, phone, form, reasons.tell("not_permitted")), 422)
    return step.then(done)

"""The page on which a code by text message is entered, shared by login, claim, forgotten password and proof.

What is known so far stays in the session (which is encrypted) under the purpose; the code itself never does.
"""

import secrets
from collections.abc import Callable
from typing import Any

from allauth.core import ratelimit
from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from accounts import clock, reasons
from accounts.actions import codes
from accounts.crypto import blind_index
from accounts.errors import Refused
from accounts.forms import CodeForm
from accounts.masks import mask_phone

State = dict[str, Any]


def key(purpose: str) -> str:
    return f"portal_code_{purpose}"


def begin(request: HttpRequest, purpose: str, phone: str, **facts: Any) -> State:
    """A new try: `subject` ties the code to this session. Raises Refused too_many_tries by address and telephone."""
    if not ratelimit.consume(request, action="text_code", key=blind_index(phone)):
        raise Refused("too_many_tries")
    return {"phone": phone, "subject": secrets.token_hex(16), **facts}


def remember(request: HttpRequest, purpose: str, state: State) -> None:
    request.session[key(purpose)] = state


def state_of(request: HttpRequest, purpose: str) -> State | None:
    """What this session has begun for the purpose."""
    state: State | None = request.session.get(key(purpose))
    return state


def forget(request: HttpRequest, purpose: str) -> None:
    request.session.pop(key(purpose), None)


def refuse(form: Form, refused: Refused, field: str | None = None) -> None:
    """Put a refusal where the form shows it."""
    form.add_error(field, str(reasons.tell_refused(refused)))


def code_page(
    request: HttpRequest,
    purpose: str,
    template: str,
    *,
    again: Callable[[State], None],
    right: Callable[[State], HttpResponse],
    context: dict[str, Any] | None = None,
) -> HttpResponse:
    """Ask for the code; `again` sends another one, `right` goes on once it fits. The caller has checked the state."""
    state = request.session[key(purpose)]
    form = CodeForm(request.POST if request.method == "POST" and "again" not in request.POST else None)
    problem = ""
    if request.method == "POST" and "again" in request.POST:
        try:
            again(state)
            remember(request, purpose, state)
        except Refused as refused:
            problem = str(reasons.tell_refused(refused))
    elif form.is_valid():
        try:
            codes.confirm(
                phone=state["phone"],
                purpose=purpose,
                subject=state["subject"],
                code=form.cleaned_data["code"],
                at=clock.now(),
            )
            return right(state)
        except Refused as refused:
            refuse(form, refused, "code")
    page = {
        "form": form,
        "phone": mask_phone(state["phone"]),
        "problem": problem,
        "sent_again": "again" in request.POST,
    }
    return render(request, template, page | (context or {}), status=422 if form.errors or problem else 200)

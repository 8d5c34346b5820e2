"""A form sent twice does its work once: each carries a token, and a replay is led to where the first one went.

The actions have guards of their own (versions, constraints); this is so that whoever pressed twice, or went back and sent
a page again, meets the answer to what he did and not a refusal of the repetition.
"""

import re
import secrets
from collections.abc import Callable
from typing import Any

from django import forms
from django.core.cache import cache
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

FIELD = "token"
_TOKEN = re.compile(r"[\w-]{16,64}", re.ASCII)
# Longer than any session, so that no page outlives its token.
LIFE = 24 * 3600


def new_token() -> str:
    """A token for one form on one page."""
    return secrets.token_urlsafe(18)


class OnceForm(forms.Form):
    """A form with the token; `done_once` reads it."""

    token = forms.CharField(widget=forms.HiddenInput, required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial.setdefault(FIELD, new_token())


def done_once(request: HttpRequest, work: Callable[[], HttpResponse]) -> HttpResponse:
    """Do `work` for the form of this request unless it was done: then lead to where it led. 400 for a form without token.

    Only a redirect counts as done: after an answer with errors the same form may be sent again, corrected.
    """
    token = request.POST.get(FIELD, "")
    if not _TOKEN.fullmatch(token):
        return render(request, "accounts/bad_input.html", status=400)
    key = f"form:{request.user.pk}:{token}"
    if not cache.add(key, "", LIFE):
        # Empty while the first one is still at work: then its own page tells how far it is.
        return redirect(cache.get(key) or request.path)
    try:
        response = work()
    except BaseException:
        cache.delete(key)
        raise
    if 300 <= response.status_code < 400:
        cache.set(key, response["Location"], LIFE)
    else:
        cache.delete(key)
    return response

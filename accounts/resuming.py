"""What waited for a proof is done at the proof's own address; the forms of its page are sent to theirs.

A form without an address is sent to the page it stands on. A page with mistakes that answers a resumed request stands on
the proof's, where what is corrected and sent again would be lost.
"""

import json
import re
from urllib.parse import urlsplit

from allauth.account.internal.flows.reauthentication import STATE_SESSION_KEY
from django.contrib.auth import REDIRECT_FIELD_NAME
from django.http import HttpRequest, HttpResponse
from django.utils.html import escape

FORM = re.compile(rb'<form(?![^>]*\saction=)(?=[^>]*\smethod="post")', re.IGNORECASE)


def waiting_at(request: HttpRequest) -> str:
    """The address of the request that waits for a proof; empty if there is none."""
    state = request.session.get(STATE_SESSION_KEY) or {}
    return str(json.loads(state["request"])["path"]) if "request" in state else ""


def named_alone(request: HttpRequest, address: str) -> None:
    """Ask allauth for the address without its query, which it keeps apart: else it finds that something else waits, goes
    to the page anew, and what was filled in is lost."""
    for name in ("GET", "POST"):
        asked = getattr(request, name)
        if urlsplit(asked.get(REDIRECT_FIELD_NAME, "")).path == address:
            setattr(request, name, asked.copy())
            getattr(request, name)[REDIRECT_FIELD_NAME] = address


def placed(response: HttpResponse, address: str) -> HttpResponse:
    """The page that answers what was resumed, its forms sent to where it belongs."""
    if hasattr(response, "add_post_render_callback") and not response.is_rendered:
        response.add_post_render_callback(lambda rendered: placed(rendered, address))
    elif not response.streaming and response.get("Content-Type", "").startswith("text/html"):
        response.content = FORM.sub(b'<form action="%s"' % escape(address).encode(), response.content)
    return response

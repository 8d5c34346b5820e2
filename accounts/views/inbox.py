"""The citizen's inbox."""

import uuid

from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST

from accounts import clock, message_texts, queries
from accounts.actions import messages as message_actions
from accounts.decorators import member_required

PAGE = 20


@member_required()
def messages(request: HttpRequest) -> HttpResponse:
    """All messages, newest first. Looking marks nothing as read: a GET changes nothing."""
    page = Paginator(queries.inbox(request.user), PAGE).get_page(request.GET.get("page"))
    rows = [{"message": message, "told": message_texts.tell(message)} for message in page]
    context = {"page_obj": page, "rows": rows, "unread": queries.unread_count(request.user)}
    template = "accounts/_inbox.html" if request.htmx else "accounts/inbox.html"
    return render(request, template, context)


@require_POST
@member_required()
def read_all(request: HttpRequest) -> HttpResponse:
    """Mark one message (`id`) or all of them as read."""
    wanted = request.POST.get("id")
    if wanted:
        try:
            message = queries.inbox(request.user).filter(public_id=uuid.UUID(wanted)).first()
        except ValueError:
            message = None
        if message is None:
            raise Http404
        message_actions.read(message=message, at=clock.now())
    else:
        message_actions.read_all(member=request.user.member, at=clock.now())
    return messages(request) if request.htmx else redirect("accounts:inbox")

"""A citizen's cases."""

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from accounts.decorators import member_required
from casework import queries, telling
from casework.enums import OPEN_STATES

PER_PAGE = 20


@require_safe
@member_required()
def cases(request: HttpRequest) -> HttpResponse:
    """Mine and those I am asked about, newest first; `state` open or closed narrows it."""
    seen = queries.visible_to(request.user)
    if wanted := request.GET.get("state"):
        seen = seen.filter(state__in=OPEN_STATES) if wanted == "open" else seen.exclude(state__in=OPEN_STATES)
    page = Paginator(seen.order_by("-opened_at", "-pk"), PER_PAGE).get_page(request.GET.get("page"))
    rows = [
        {"row": row, "url": reverse(row.url_name, args=[row.case.public_id])}
        for row in telling.rows(page.object_list, request.user)
    ]
    context = {"page_obj": page, "rows": rows, "wanted": wanted or ""}
    return render(request, "casework/_cases.html" if request.htmx else "casework/mine.html", context)

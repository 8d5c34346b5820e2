"""The public check of a paper: whoever holds it can see whether it is ours and still valid."""

from allauth.core.internal.ratelimit import consume
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from documents import kinds, numbers, queries
from documents.forms import CheckForm


@login_not_required
@require_safe
def check(request: HttpRequest, number: str | None = None) -> HttpResponse:
    """The number typed (`?number=`) or scanned (in the address). Nothing is shown that does not stand on the paper."""
    asked = number if number is not None else request.GET.get("number")
    form = CheckForm(None if asked is None else {"number": asked})
    context = {"form": form}
    if asked is None:
        return render(request, "documents/check.html", context)
    if not form.is_valid():
        return render(request, "documents/check.html", context, status=422)
    # Sixty random bits are not found by trying; this is so that nobody keeps the database busy with it.
    if consume(request, app="allauth.account", action="document_check", limit_get=True) is None:
        return render(request, "documents/check.html", context | {"busy": True}, status=429)
    document = queries.by_number(form.cleaned_data["number"])
    context |= {"asked": numbers.grouped(form.cleaned_data["number"]), "document": document}
    if document:
        context["kind"] = kinds.label(document.kind)
    return render(request, "documents/check.html", context, status=200 if document else 404)

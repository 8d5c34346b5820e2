"""The mark, for what is no page of ours: a browser that shows a PDF asks for it at this address."""

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.templatetags.static import static
from django.views.decorators.http import require_safe


@login_not_required
@require_safe
def favicon(request: HttpRequest) -> HttpResponse:
    """The same mark as every page names."""
    return redirect(static("img/mark.svg"))

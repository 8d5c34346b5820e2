"""What is brought to a window, for whoever wants to know it before he goes."""

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from casework import kinds


@login_not_required
@require_safe
def bring(request: HttpRequest) -> HttpResponse:
    """The lists of the one-time notice, matter by matter: with them nobody has to come a second time."""
    return render(request, "casework/bring.html", {"kinds": kinds.brought_for()})

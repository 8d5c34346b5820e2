"""The documentation for technicians of institutions and their vendors. Public: it holds no data of people."""

from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from gateway import documentation, fields
from gateway.recipes import RECIPES
from gateway.signatures import VARIANTS

MOST_ASKED = 50


@login_not_required
@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """The transactions by subject, and the search over them and their fields."""
    asked = _asked(request)
    context = {"asked": asked, "groups": documentation.groups(asked)}
    return render(request, "gateway/docs/_list.html" if request.htmx else "gateway/docs/index.html", context)


@login_not_required
@require_safe
def transaction(request: HttpRequest, number: str) -> HttpResponse:
    """One transaction, or the envelope."""
    context = {"page": documentation.page(_known(number)), "is_envelope": number == documentation.ENVELOPE}
    if number == "3202":
        context["file"] = documentation.sample_file(number)
    return render(request, "gateway/docs/transaction.html", context)


@login_not_required
@require_safe
def sample(request: HttpRequest, number: str, way: str) -> HttpResponse:
    """A sample as a file: for programs, and to copy without a script."""
    made = {"request": documentation.sample_request, "answer": documentation.sample_answer}.get(way)
    text = made(_known(number)) if made else ""
    if not text:
        raise Http404
    return HttpResponse(text, content_type="application/json; charset=utf-8")


@login_not_required
@require_safe
def errors(request: HttpRequest) -> HttpResponse:
    """What stands in brackets at the end of err_msg, and what helps."""
    asked = _asked(request)
    context = {"asked": asked, "refusals": documentation.refusals(asked), "failure": documentation.sample_failure()}
    return render(request, "gateway/docs/_errors.html" if request.htmx else "gateway/docs/errors.html", context)


@login_not_required
@require_safe
def signing(request: HttpRequest) -> HttpResponse:
    """How to sign a call, a recipe for each variant."""
    context = {
        "recipes": [(recipe, VARIANTS[recipe.variant].headers) for recipe in RECIPES],
        "url": request.build_absolute_uri("/")[:-1],
    }
    return render(request, "gateway/docs/signing.html", context)


@login_not_required
@require_safe
def codes(request: HttpRequest) -> HttpResponse:
    """All code lists."""
    return render(request, "gateway/docs/codes.html", {"lists": documentation.every_list()})


def _asked(request: HttpRequest) -> str:
    return request.GET.get("q", "").strip()[:MOST_ASKED]


def _known(number: str) -> str:
    if number != documentation.ENVELOPE and number not in fields.known():
        raise Http404
    return number

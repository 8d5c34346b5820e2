"""The one-time notice at the window: tick what is missing, print it, and the member knows all of it at once."""

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from accounts import clock
from accounts.decorators import role_required
from accounts.enums import Role
from accounts.queries import enrolment_on
from casework import kinds
from counter import desk
from counter.desk import Opened, needs_opened
from counter.forms.window import NoticeForm
from counter.papers import notices
from counter.views.desk import opened_context, printed

clerk = role_required(Role.CLERK)


@clerk
@needs_opened
@require_http_methods(["GET", "HEAD", "POST"])
def notice(request: HttpRequest, serving: Opened, kind: str) -> HttpResponse:
    """The materials of a matter to be ticked; sent, the notice as PDF on the roll or A4."""
    materials = next((one.materials for one in kinds.brought_for() if one.code == kind), None)
    if materials is None:
        raise Http404
    form = NoticeForm(materials, request.POST or None)
    if form.is_valid():
        enrolment = enrolment_on(serving.member, clock.today())

        def print_on(paper: str) -> bytes:
            return notices.print_notice(
                member=serving.member,
                kind=kind,
                missing=form.cleaned_data["missing"],
                other=form.cleaned_data["other"],
                office=desk.office_of(request.user, enrolment.region if enrolment else None),
                paper=paper,
                by=request.user,
                at=clock.now(),
            )

        return printed(request, print_on, "notice.pdf", redirect("counter:notice", kind=kind))
    if request.method != "POST":
        desk.look(request, serving.member, "notice", serving.reason)
    context = opened_context(request, serving) | {
        "form": form,
        "title": notices.title_of(kind),
        "service": "notice",
        "has_errors": bool(form.errors),
    }
    return render(request, "counter/notice.html", context, status=422 if form.errors else 200)

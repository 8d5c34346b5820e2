"""What the bank has to pay, or members have to pay back: the list, and the file for the bank."""

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from accounts import clock, masks, reasons
from accounts.decorators import fresh_proof_required, role_required
from accounts.enums import Role
from accounts.errors import Refused
from accounts.once import done_once
from settlements.actions import claims
from settlements.actions.payment_file import payment_file
from settlements.forms.claims import PaidForm
from settlements.models import Reimbursement
from settlements.queries import claims as read

supervisor = role_required(Role.SUPERVISOR)
PER_PAGE = 50


@supervisor
@require_http_methods(["GET", "HEAD", "POST"])
def payments(request: HttpRequest) -> HttpResponse:
    """Money to members' bank accounts, and from them: the open ones, each with its form; those done below."""
    form = PaidForm(request.POST or None)
    if form.is_valid():
        return done_once(request, lambda: _paid(request, form))
    return _payments_page(request, form)


def _payments_page(request: HttpRequest, form: PaidForm, problem: reasons.Told | None = None) -> HttpResponse:
    rows = read.reimbursements_visible_to(request.user)
    done = request.GET.get("state") == "done"
    rows = rows.filter(done_on__isnull=not done)
    page = Paginator(rows.order_by("-done_on", "-id") if done else rows, PER_PAGE).get_page(request.GET.get("page"))
    wrong = str(form.data.get("row", "")) if form.errors else ""
    forms = [
        {
            "row": row,
            "name": masks.mask_name(row.member.name),
            "owed": row.amount < 0,
            "amount": abs(row.amount),
            "form": form if wrong == str(row.case.public_id) else _empty(row),
        }
        for row in page
    ]
    bad = bool(problem or form.errors)
    context = {"page_obj": page, "rows": forms, "done": done, "problem": problem, "has_errors": bad}
    return render(request, "counter/payments.html", context, status=422 if bad else 200)


def _empty(row: Reimbursement) -> PaidForm:
    return PaidForm(initial={"row": row.case.public_id}, auto_id=f"id_{row.pk}_%s")


def _paid(request: HttpRequest, form: PaidForm) -> HttpResponse:
    row = get_object_or_404(read.reimbursements_visible_to(request.user), case__public_id=form.cleaned_data["row"])
    try:
        claims.pay_out(reimbursement=row, reference=form.cleaned_data["reference"], by=request.user, at=clock.now())
    except Refused as refused:
        return _payments_page(request, PaidForm(), reasons.tell_refused(refused))
    messages.success(request, _("Noted: %(number)s is paid.") % {"number": row.case.number})
    return redirect("counter:payments")


@supervisor
@require_POST
@fresh_proof_required
def payments_file(request: HttpRequest) -> HttpResponse:
    """The open payments for the bank, with full account numbers; that it was written is recorded for each member."""
    body = payment_file(by=request.user, at=clock.now())
    response = HttpResponse(body, content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="payments-{clock.today().isoformat()}.csv"'
    return response

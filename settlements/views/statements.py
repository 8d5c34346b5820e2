"""The statement of a period: on the screen, on paper, as a table."""

import datetime
from typing import Any
from urllib.parse import quote
from uuid import UUID

from allauth.core.ratelimit import consume
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.http import require_POST, require_safe

from accounts import clock, reasons
from accounts.decorators import member_required
from accounts.errors import Refused
from documents import numbers
from documents import queries as papers
from settlements import periods
from settlements.actions import statements
from settlements.forms.account import PeriodForm
from settlements.models import PersonalAccount
from settlements.queries import member as read
from settlements.queries.statement import Statement, statement
from settlements.telling import movements
from settlements.telling import why as why_telling

DEFAULT = "quarter"


@require_safe
@member_required()
def statement_page(request: HttpRequest) -> HttpResponse:
    """A preset (`?period=`) or two dates (`?start=&end=`); without either the last three months."""
    on = clock.today()
    account = read.account_of(request.user.member, on)
    if account is None:
        whys = why_telling.tell(request.user, clock.now(), on)
        return render(request, "settlements/no_account.html", {"whys": whys})
    form, chosen = _period(request, account, on)
    context: dict[str, Any] = {
        "account": account,
        "form": form,
        "presets": periods.presets(account.region_id, on),
        "chosen": chosen,
    }
    if form.is_valid():
        told = statement(request.user, account, form.cleaned_data["start"], form.cleaned_data["end"])
        context |= {
            "told": told,
            "rows": movements.tell_lines(told.lines, on),
            "sums": _sums(told),
            "people": _people(told),
            "wallet_moves": movements.tell_wallet(told.wallet.lines) if told.wallet else [],
        }
        context["issued"] = _issued(request, account)
    template = "settlements/_statement.html" if request.htmx else "settlements/statement.html"
    return render(request, template, context, status=200 if form.is_valid() else 422)


def _period(request: HttpRequest, account: PersonalAccount, on: datetime.date) -> tuple[PeriodForm, str]:
    data = request.GET if request.method in ("GET", "HEAD") else request.POST
    chosen = data.get("period") or ("" if "start" in data or "end" in data else DEFAULT)
    preset = next((row for row in periods.presets(account.region_id, on) if row.code == chosen), None)
    if preset:
        # An account younger than the period simply begins within it.
        data = {
            "start": max(preset.start, min(account.opened_on, preset.end)).isoformat(),
            "end": preset.end.isoformat(),
        }
    form = PeriodForm(data, opened_on=account.opened_on, today=on)
    return form, preset.code if preset else ""


def _sums(told: Statement) -> list[tuple[str, Any]]:
    return [(movements.kind_name(kind), amount) for kind, amount in told.by_kind.items()]


def _people(told: Statement) -> list[tuple[str, Any]]:
    return [(movements.named(member, relation), amount) for member, relation, amount in told.by_relative]


def _issued(request: HttpRequest, account: PersonalAccount) -> list[dict[str, Any]]:
    """The last statements on paper, from which copies can be had."""
    found = papers.visible_to(request.user).filter(kind=statements.KIND, subject__startswith=account.region_id)[:5]
    return [
        {"document": document, "number": numbers.grouped(document.number), "period": statements.period_of(document)}
        for document in found
    ]


@require_POST
@member_required()
def statement_file(request: HttpRequest) -> HttpResponse:
    """The period as an issued PDF (`as=pdf`) or as CSV (`as=csv`)."""
    on = clock.today()
    account = read.account_of(request.user.member, on)
    if account is None:
        raise Http404
    form, _chosen = _period(request, account, on)
    if not form.is_valid():
        return render(
            request,
            "settlements/statement.html",
            {"account": account, "form": form, "presets": periods.presets(account.region_id, on)},
            status=422,
        )
    period = {"start": form.cleaned_data["start"], "end": form.cleaned_data["end"]}
    if request.POST.get("as") == "csv":
        body = statements.export_csv(account=account, **period, by=request.user, at=clock.now())
        return _download(body, f"statement-{period['start']}-{period['end']}.csv", "text/csv; charset=utf-8")
    if not consume(request, action="statement", user=request.user):
        return _told_back(request, Refused("too_many_papers"), period)
    try:
        document, pdf = statements.issue_statement(account=account, **period, by=request.user, at=clock.now())
    except Refused as refused:
        return _told_back(request, refused, period)
    return _download(pdf, f"statement-{document.number}.pdf", "application/pdf")


@require_POST
@member_required()
def statement_copy(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """A statement issued before once more, marked as a copy."""
    document = papers.visible_to(request.user).filter(public_id=public_id, kind=statements.KIND).first()
    if document is None:
        raise Http404
    try:
        document, pdf = statements.copy_statement(document=document, by=request.user, at=clock.now())
    except Refused as refused:
        return _told_back(request, refused, {})
    return _download(pdf, f"statement-{document.number}-copy.pdf", "application/pdf")


def _told_back(request: HttpRequest, refused: Refused, period: dict[str, datetime.date]) -> HttpResponse:
    """To the statement on the screen, with the reason above it."""
    messages.error(request, str(reasons.tell_refused(refused)))
    query = urlencode({name: day.isoformat() for name, day in period.items()})
    return redirect(f"{reverse('settlements:statement')}?{query}".rstrip("?"))


def _download(body: bytes, name: str, content_type: str) -> HttpResponse:
    response = HttpResponse(body, content_type=content_type)
    response["Content-Disposition"] = f'attachment; filename="{quote(name)}"'
    return response

"""The receipt of an application at the window: A4 or the 80 mm roll, issued once and copied afterwards. Always in Chinese."""

import datetime
from collections.abc import Callable
from typing import Any

from django.utils import timezone, translation

from accounts import dates, masks
from accounts.errors import Refused
from accounts.models import Member, User
from casework import kinds
from casework.models import Case
from documents import queries as papers
from documents.actions import issue
from family import telling
from family.models import SharingApplication

KIND = "receipt"
PAPERS = ("80mm", "A4")
Data = dict[str, Any]
REPLACED = "replaced"


def print_receipt(*, application: SharingApplication, paper: str, by: User, at: datetime.datetime) -> bytes:
    """The PDF: the first time an issued paper, then copies marked as such; anew where the case was submitted again.

    Raises PermissionDenied, and Refused: not_in_this_state before the case is submitted, not_printable.
    """
    return print_receipt_of(application.case, lambda: receipt(application, paper), paper, by, at)


def print_receipt_of(case: Case, data: Callable[[], Data], paper: str, by: User, at: datetime.datetime) -> bytes:
    """The receipt of any kind of case; `data` is asked once it has been submitted. Refusals as `print_receipt`."""
    if case.submitted_at is None:
        raise Refused("not_in_this_state", state=case.state, verb="print")
    return printed(KIND, case.applicant, f"{case.number} {paper}", data(), by, at)


def printed(kind: str, member: Member, subject: str, data: dict[str, Any], by: User, at: datetime.datetime) -> bytes:
    """The PDF of a paper: issued the first time, a marked copy afterwards, issued anew where it says something else.

    Then the earlier one is void: two papers about one thing that contradict each other cannot both be genuine and valid.
    """
    issued = papers.visible_to(by).filter(kind=kind, subject=subject, revoked_at=None).first()
    if issued is not None:
        try:
            return issue.reprint(document=issued, data=data, by=by, at=at)[1]
        except Refused as refused:
            if refused.code != "document_changed":
                raise
    pdf = issue.issue(kind=kind, member=member, data=data, by=by, at=at, subject=subject)[1]
    if issued is not None:
        issue.revoke(document=issued, by=by, at=at, reason=REPLACED)
    return pdf


@translation.override(issue.LANGUAGE)
def receipt(application: SharingApplication, paper: str) -> Data:
    """What documents/typst/receipt.typ sets; only what stays as it is, so that a copy is the same paper."""
    case = application.case
    facts = [
        ["经办编号", case.number],
        ["事项", "家庭共济绑定"],
        ["申请人", masks.mask_name(application.grantor.name)],
        ["使用人", telling.named(telling.term_of_beneficiary(application), application.beneficiary)],
        ["用途", telling.uses(application)],
        ["上限", telling.limit(application.limit)],
        *agent_of(case),
    ]
    data = accepted(case, facts, paper)
    if paper == "A4":
        lines = application.commitment.lines if application.commitment else []
        data |= {"sections": [{"title": "承诺书", "lines": lines}], "sign": ["申请人签名", "日期"]}
    return data


def agent_of(case: Case) -> list[list[str]]:
    """The row that names who acted with a written authority, where somebody did."""
    return [["代办人", masks.mask_name(case.agent_name)]] if case.agent_name else []


def accepted(case: Case, facts: list[list[str]], paper: str) -> Data:
    """The frame of a receipt around what the kind of case says: when and where accepted, and how long it takes."""
    days = kinds.get(case.kind).days_for(case, timezone.localdate(case.submitted_at))
    return {
        "title": "医保业务受理回执",
        "paper": paper,
        "facts": [
            *facts,
            ["受理时间", dates.moment(case.submitted_at)],
            ["受理窗口", case.centre.name if case.centre else case.region.name],
            ["办理时限", f"进入复核后 {days} 个工作日"],
        ],
        "notes": ["凭经办编号可以在网上、窗口查进度，或拨打 12393。", "本回执只证明已经受理，不是办理结果。"],
    }

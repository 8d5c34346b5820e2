"""Issuing papers: a number, the file, its hash. The content is not kept; a copy is set from the same data again."""

import datetime
import hashlib
import logging
from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone, translation

from accounts import dates
from accounts.actions import audit
from accounts.enums import Channel
from accounts.errors import Refused
from accounts.models import Member, RoleAssignment, User
from documents import kinds, numbers, render
from documents.models import IssuedDocument
from documents.policies import may_issue

log = logging.getLogger(__name__)
# Papers are official papers: always in Chinese, whatever language the page is in.
LANGUAGE = "zh-hans"


def issue(
    *, kind: str, member: Member, data: Mapping[str, Any], by: User | None, at: datetime.datetime, subject: str = ""
) -> tuple[IssuedDocument, bytes]:
    """Issue a paper about a member and give its PDF.

    `kind` is one of `documents.kinds`; `data` is what its template sets (receipt.typ: title, facts [[label, value]],
    notes, sections [{title, lines}], sign, paper "A4" or "80mm"), in Chinese. Raises PermissionDenied, and
    Refused("not_printable", number=…) when a name has characters that the font cannot draw: the paper then waits for
    the window under that number. Call it outside a transaction, or that notice is undone with the refusal.
    """
    if not may_issue(by, member):
        raise PermissionDenied
    if missing := render.undrawable(data):
        held = _hold_back(kind, member, by, at, subject, missing)
        raise Refused("not_printable", number=numbers.grouped(held.number))
    with transaction.atomic():
        document = _row(kind, member, by, at, subject)
        pdf = _set(document, data)
        document.sha256 = hashlib.sha256(pdf).hexdigest()
        document.save()
        _note("paper_issued", document, by, at)
    return document, pdf


def reprint(
    *, document: IssuedDocument, data: Mapping[str, Any], by: User | None, at: datetime.datetime
) -> tuple[IssuedDocument, bytes]:
    """A copy of an issued paper, marked as one; `data` as it was then.

    Raises PermissionDenied and Refused: document_revoked, document_changed (the data no longer give the same paper, so
    a copy would not be one: issue a new paper instead).
    """
    if not may_issue(by, document.member):
        raise PermissionDenied
    with transaction.atomic():
        document = IssuedDocument.objects.select_for_update(of=("self",)).select_related("member").get(pk=document.pk)
        if document.revoked_at is not None:
            raise Refused("document_revoked")
        if hashlib.sha256(_set(document, data)).hexdigest() != document.sha256:
            raise Refused("document_changed")
        mark = f"副本 第 {document.copies} 份 · {_moment(at)} 补打"
        pdf = _set(document, {**data, "copy": mark})
        document.copies += 1
        document.copy_hashes.append(hashlib.sha256(pdf).hexdigest())
        document.save(update_fields=["copies", "copy_hashes"])
        _note("paper_copied", document, by, at)
    return document, pdf


@transaction.atomic
def revoke(*, document: IssuedDocument, by: User, at: datetime.datetime, reason: str) -> IssuedDocument:
    """Staff declare a paper void; whoever checks it sees that. Raises PermissionDenied."""
    if not by.is_staff or not may_issue(by, document.member):
        raise PermissionDenied
    IssuedDocument.objects.filter(pk=document.pk, revoked_at=None).update(revoked_at=at)
    document.refresh_from_db(fields=["revoked_at"])
    _note("paper_revoked", document, by, at, reason)
    return document


def _row(kind: str, member: Member, by: User | None, at: datetime.datetime, subject: str) -> IssuedDocument:
    kinds.get(kind)
    return IssuedDocument(
        number=numbers.new(), kind=kind, member=member, subject=subject, issued_at=at, issued_by=_who(by)
    )


def _who(by: User | None) -> str:
    """Kept for the register of papers: the work number of staff, never a citizen's name."""
    return by.username if by is not None and by.is_staff else "member" if by else "system"


def _set(document: IssuedDocument, data: Mapping[str, Any]) -> bytes:
    path = reverse("documents:check_number", args=[document.number])
    frame = {
        "number": numbers.grouped(document.number),
        "check_page": settings.PUBLIC_URL.split("//")[-1] + reverse("documents:check"),
        "issued_at": _moment(document.issued_at),
        "issuer": {"member": "参保人网上自助开具", "system": "系统开具"}.get(document.issued_by) or _window(document),
    }
    return render.pdf(
        kinds.get(document.kind).template,
        {**data, **frame},
        check_url=settings.PUBLIC_URL + path,
        issued_at=timezone.localtime(document.issued_at),
    )


def _window(document: IssuedDocument) -> str:
    """The service centre where the issuing clerk sat on that day, for a copy must say the same; and his work number."""
    held = RoleAssignment.objects.filter(
        Q(ended_at=None) | Q(ended_at__gt=document.issued_at),
        Q(last_day=None) | Q(last_day__gte=timezone.localdate(document.issued_at)),
        user__username=document.issued_by,
        granted_at__lte=document.issued_at,
        centre__isnull=False,
    )
    first = held.select_related("centre").order_by("id").first()
    return f"{first.centre.name if first and first.centre else '经办'}窗口开具，工号 {document.issued_by}"


def _moment(at: datetime.datetime) -> str:
    with translation.override(LANGUAGE):
        return dates.moment(at)


@transaction.atomic
def _hold_back(
    kind: str, member: Member, by: User | None, at: datetime.datetime, subject: str, missing: str
) -> IssuedDocument:
    """The notice to the window; asking twice for the same paper leaves one."""
    waiting = IssuedDocument.objects.filter(kind=kind, member=member, subject=subject, sha256="", revoked_at=None)
    held = waiting.first()
    if held is None:
        held = _row(kind, member, by, at, subject)
        held.save()
        codes = ", ".join(f"U+{ord(character):04X}" for character in missing)
        log.warning("paper %s waits at the window: the font lacks %s", held.number, codes)
        _note("paper_held_back", held, by, at, codes)
    return held


def _note(action: str, document: IssuedDocument, by: User | None, at: datetime.datetime, reason: str = "") -> None:
    audit.record(
        action=action,
        by=by,
        at=at,
        member=document.member,
        on_behalf_of=document.member if by is not None and by.is_staff else None,
        target=f"paper {document.number}",
        reason=reason,
        details={"kind": document.kind, "subject": document.subject},
        channel=Channel.SYSTEM if by is None else Channel.WINDOW if by.is_staff else Channel.ONLINE,
    )

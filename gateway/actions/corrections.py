"""2601: a transaction whose answer was lost is undone, found by its message ID; or barred, if it never acted."""

import datetime
import secrets
from collections.abc import Callable
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.errors import Refused
from accounts.models import Institution
from gateway.actions import bills, stay_bills, stays
from gateway.actions.purchases import cancel_lines
from gateway.domain import json_text
from gateway.domain.staying import Where
from gateway.models import GatewayMessage, VisitSettlement
from gateway.queries.people import member_by_psn_no
from gateway.queries.stays import stay_at, stay_of
from gateway.queries.visits import visit_of
from settlements.enums import CareKind

# The outcome of a message that was undone, before it came or afterwards: its first answer would no longer be true.
CORRECTED = "corrected"


def correct(*, institution: Institution, msgid: str, given: dict[str, Any], at: datetime.datetime) -> dict[str, Any]:
    """Answer 2601: afterwards nothing of the original stands, whether it acted, was refused, or never arrived.

    `warn_msg` says when there was nothing to undo. An original that arrives later, or again, is refused
    (msgid_corrected): its message ID is claimed here as it would have claimed it itself, so that whoever comes second
    waits, and sees.
    Raises Refused: person_unknown, correction_unsupported, correction_other (the message was another transaction),
    visit_unknown (another person's), already_reversed.
    """
    data = given["data"]
    infno, omsgid, person = data["oinfno"], data["omsgid"], data["psn_no"]
    if infno not in UNDO:
        raise Refused("correction_unsupported", infno=infno)
    if member_by_psn_no(person) is None:
        raise Refused("person_unknown")
    original = _original(institution, omsgid) or _bar(institution, msgid, omsgid, infno, at)
    if original is None or (original.outcome == CORRECTED and not original.request_hash):
        return {"warn_msg": _("The original message never took effect; it is refused if it still comes")}
    # 2207A does not fit into the four characters that some programs have for oinfno.
    if original.infno.removesuffix("A") != infno.removesuffix("A"):
        raise Refused("correction_other", infno=original.infno)
    if original.outcome not in (GatewayMessage.OK, CORRECTED):
        return {"warn_msg": _("The original message was refused; there is nothing to undo")}
    asked = {"institution": institution, "msgid": msgid, "omsgid": omsgid, "psn_no": person, "at": at}
    if original.outcome == CORRECTED or not UNDO[original.infno](**asked):
        return {"warn_msg": _("The original message was undone before by a correction")}
    GatewayMessage.objects.filter(pk=original.pk).update(outcome=CORRECTED)
    return {}


def _original(institution: Institution, omsgid: str) -> GatewayMessage | None:
    found = GatewayMessage.objects.filter(institution=institution, claim=omsgid)
    return found.only("infno", "outcome", "institution_id", "request_hash").first()


def _bar(institution: Institution, msgid: str, omsgid: str, infno: str, at: datetime.datetime) -> GatewayMessage | None:
    """Claim the message ID. If the original is at work, this waits for it, and gives it when it has acted."""
    mine = GatewayMessage.objects.filter(institution=institution, msgid=msgid).order_by("-id").only("key_id")[0]
    try:
        with transaction.atomic():
            GatewayMessage.objects.create(
                key_id=mine.key_id,
                institution=institution,
                nonce=f"2601/{secrets.token_hex(24)}",
                msgid=omsgid,
                infno=infno,
                request_hash="",
                claim=omsgid,
                received_at=at,
                outcome=CORRECTED,
                body=None,
            )
    except IntegrityError:
        return _original(institution, omsgid)
    return None


def undo_settlement(*, institution: Institution, msgid: str, omsgid: str, psn_no: str, at: datetime.datetime) -> bool:
    """Reverse what a 2207 or a 2304 settled, whole; False if an earlier correction has. The lines stand, as after 2208.

    Raises Refused: visit_unknown, already_reversed (by 2208), duplicate (replaced by a recalculation).
    """
    return _undo(institution, msgid, omsgid, psn_no, at) is not None


def undo_purchase(*, institution: Institution, msgid: str, omsgid: str, psn_no: str, at: datetime.datetime) -> bool:
    """The same for a 2102; its lines go too, as after 2103."""
    undone = _undo(institution, msgid, omsgid, psn_no, at)
    if undone is None:
        return False
    cancel_lines(undone, at)
    return True


def _undo(
    institution: Institution, msgid: str, omsgid: str, psn_no: str, at: datetime.datetime
) -> VisitSettlement | None:
    settled = VisitSettlement.objects.select_related("settlement", "visit")
    known = settled.get(visit__institution=institution, msgid=omsgid)
    visit = visit_of(institution, known.visit.mdtrt_id, psn_no, lock=True, stay=None)
    # Anew, for somebody may have reversed it before the lock was had.
    known = settled.get(pk=known.pk)
    if known.reversed_at is None:
        if visit.kind == CareKind.INPATIENT:
            stay_bills.take_back(stay_at(visit), known, msgid=msgid, at=at)
        else:
            bills.taken_back(visit, known, msgid=msgid, at=at)
        return known
    if not GatewayMessage.objects.filter(institution=institution, claim=known.reversal_msgid, infno="2601").exists():
        raise Refused("already_reversed")
    return None


def undo_admission(*, institution: Institution, msgid: str, omsgid: str, psn_no: str, at: datetime.datetime) -> bool:
    """Cancel what a 2401 admitted; False if it is cancelled already. Its number stands in the answer that was lost.

    Raises Refused: visit_unknown, answer_deleted, stay_discharged, stay_settled, stay_paid.
    """
    original = GatewayMessage.objects.get(institution=institution, claim=omsgid)
    if original.answer is None:
        raise Refused("answer_deleted", day=f"{timezone.localdate(original.received_at)}")
    mdtrt_id = json_text.loads(str(original.answer))["output"]["result"]["mdtrt_id"]
    stay = stay_of(institution, mdtrt_id, psn_no, lock=True)
    if stay.state == Where.CANCELLED:
        return False
    stays.take_back(stay, at)
    return True


# What can be undone, by the number of the original.
UNDO: dict[str, Callable[..., bool]] = {
    "2102": undo_purchase,
    "2207": undo_settlement,
    "2207A": undo_settlement,
    "2304": undo_settlement,
    "2401": undo_admission,
}

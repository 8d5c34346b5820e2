"""2202, 2203 and 2205: a visit cancelled, its diagnoses, its lines taken back; and what time does to it."""

import datetime
from typing import Any

from django.db import transaction
from django.utils import timezone

from accounts.actions import audit
from accounts.enums import Channel
from accounts.errors import Refused
from accounts.models import Institution
from gateway.actions.visits import AHEAD, MED_TYPES, REGISTRATION, must_be_allowed
from gateway.domain import stating
from gateway.domain.life import Stage, Step, stage_of
from gateway.models import Diagnosis, FeeLine, Visit
from gateway.queries.visits import to_give_up, visit_of

EVERY_BATCH = "0000"
VOID = "0"


def diagnose(*, institution: Institution, msgid: str, given: dict[str, Any], at: datetime.datetime) -> dict[str, Any]:
    """Answer 2203 and 2203A: medical category, disease and diagnoses; one sent again replaces, one voided goes.

    Raises Refused: visit_unknown, visit_cancelled, visit_expired, begun_later, diagnosis_later, med_type_unsupported,
    med_type_other (something of the visit is settled under another category).
    """
    data, rows = given["mdtrtinfo"], given["diseinfo"]
    visit = visit_of(institution, data["mdtrt_id"], data["psn_no"], lock=True)
    must_be_allowed(Step.DIAGNOSE, stage_of(visit.ended, lines=True, settled=False))
    if data["begntime"] > at + AHEAD:
        raise Refused("begun_later")
    late = next((row for row in rows if row["diag_time"] > at + AHEAD), None)
    if late:
        raise Refused("diagnosis_later", diagnosis=late["diag_code"])
    _check_category(visit, data["med_type"])
    visit.med_type = data["med_type"]
    visit.illness = stating.illness(data)
    visit.save(update_fields=["med_type", "illness"])
    for row in rows:
        _keep(visit, row)
    return {}


def _check_category(visit: Visit, med_type: str) -> None:
    """One medical category a visit; its registration may have been settled before, under the category of that."""
    if MED_TYPES.get(med_type) != visit.kind:
        raise Refused("med_type_unsupported")
    settled = visit.settlements.filter(reversed_at=None).exclude(med_type__in=[med_type, REGISTRATION]).first()
    if settled:
        raise Refused("med_type_other", med_type=settled.med_type)


def _keep(visit: Visit, row: dict[str, Any]) -> None:
    index = Diagnosis.index_of(visit.pk, row["diag_code"])
    known = {"visit": visit, "kind": row["diag_type"], "code_index": index}
    if row["vali_flag"] == VOID:
        Diagnosis.objects.filter(**known).delete()
        return
    said = {"order": row["diag_srt_no"], "said": stating.diagnosis(row), "diagnosed_at": row["diag_time"]}
    Diagnosis.objects.update_or_create(**known, defaults=said)


def uncharge(*, institution: Institution, msgid: str, given: dict[str, Any], at: datetime.datetime) -> dict[str, Any]:
    """Answer 2205: the lines of one charge batch, or of every unsettled one ("0000"), no longer count.

    Raises Refused: visit_unknown, visit_cancelled, visit_expired, batch_settled, batch_empty.
    """
    data = given["data"]
    visit, batch = visit_of(institution, data["mdtrt_id"], data["psn_no"], lock=True), data["chrg_bchno"]
    settled = list(visit.settlements.filter(reversed_at=None).values_list("batch", flat=True))
    if batch == EVERY_BATCH:
        lines = visit.lines.exclude(batch__in=settled).filter(cancelled_at=None)
        must_be_allowed(Step.UNCHARGE, stage_of(visit.ended, lines=True, settled=False), batch=batch)
    else:
        lines = visit.lines.filter(batch=batch, cancelled_at=None)
        stage = stage_of(visit.ended, lines=lines.exists(), settled=batch in settled)
        must_be_allowed(Step.UNCHARGE, stage, batch=batch)
    lines.update(cancelled_at=at)
    return {}


def cancel(*, institution: Institution, msgid: str, given: dict[str, Any], at: datetime.datetime) -> dict[str, Any]:
    """Answer 2202: the registration is taken back. Settlements go first (2208), then lines (2205).

    Raises Refused: visit_unknown (also when `ipt_otp_no` is another's), visit_cancelled, visit_expired, lines_uploaded,
    batch_settled.
    """
    data = given["data"]
    visit = visit_of(institution, data["mdtrt_id"], data["psn_no"], lock=True)
    if not Visit.objects.filter(pk=visit.pk, ipt_otp_no=data["ipt_otp_no"]).exists():
        raise Refused("visit_unknown")
    settled = visit.settlements.filter(reversed_at=None).first()
    lines = visit.lines.filter(cancelled_at=None).exists()
    stage = stage_of(visit.ended, lines=lines, settled=settled is not None)
    must_be_allowed(Step.CANCEL, stage, batch=settled.batch if settled else "")
    end(visit, Stage.CANCELLED, at)
    return {}


def end(visit: Visit, stage: Stage, at: datetime.datetime) -> None:
    """Nothing may follow."""
    visit.ended, visit.ended_at = stage.value, at
    visit.save(update_fields=["ended", "ended_at"])


def give_up_overdue(*, at: datetime.datetime, most: int = 1000) -> int:
    """Give up visits of which nothing was settled in time (`life.DAYS`), at most so many; how many it were.

    Each in its own transaction: an institution that is at work on one keeps it, until the next night.
    """
    numbers = list(to_give_up(at).values_list("pk", flat=True)[:most])
    return sum(_give_up(number, at) for number in numbers)


@transaction.atomic
def _give_up(number: int, at: datetime.datetime) -> bool:
    locked = Visit.objects.select_for_update(skip_locked=True, no_key=True).filter(pk=number).first()
    # Read anew under the lock: it may have been settled since the list was made.
    visit = locked and to_give_up(at).select_related("member").filter(pk=number).first()
    if visit is None:
        return False
    end(visit, Stage.EXPIRED, at)
    FeeLine.objects.filter(visit=visit, cancelled_at=None).update(cancelled_at=at)
    audit.record(
        action="visit_expired",
        by=None,
        at=at,
        member=visit.member,
        target=f"visit:{visit.mdtrt_id}",
        details={"registered_on": timezone.localdate(visit.registered_at).isoformat()},
        channel=Channel.GATEWAY,
    )
    return True

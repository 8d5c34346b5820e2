"""2401 to 2405: a stay in hospital, from the admission to the discharge and back."""

import datetime
from collections.abc import Iterable, Mapping
from typing import Any

from django.db.models import Q
from django.utils import timezone

from accounts.enums import InstitutionKind
from accounts.errors import Refused
from accounts.models import Institution, Member
from accounts.queries import enrolment_on
from gateway import answers
from gateway.actions.visits import AHEAD, insured, new_number
from gateway.domain import stating, staying
from gateway.domain.stating import state
from gateway.domain.staying import Step, Where
from gateway.errors import Rejected
from gateway.models import Diagnosis, Stay, Visit
from gateway.queries.people import ID_CARD
from gateway.queries.stays import settled_of, stay_of
from settlements.enums import CareKind
from settlements.queries.parameters import scheme_on

# General care in hospital. Single diseases, accidents, births, day surgery and psychiatry are paid by rules of their own
# that no region file holds yet; settling them as general care would be wrong money.
MED_TYPES = {"21", "2101"}


def admit(*, institution: Institution, msgid: str, given: dict[str, Any], at: datetime.datetime) -> dict[str, Any]:
    """Answer 2401: a new stay, and its diagnoses.

    Raises Refused: med_type_unsupported (also for a pharmacy), time_later, credential_unsupported, person_unknown,
    not_insured, insurance_ended, insuplc_other, not_covered (the region's rules for stays are not known), stay_open,
    stay_overlaps, other_person.
    """
    data = given["mdtrtinfo"]
    if institution.kind != InstitutionKind.HOSPITAL or data["med_type"] not in MED_TYPES:
        raise Refused("med_type_unsupported")
    not_later("mdtrtinfo.begntime", data["begntime"], at)
    member, enrolment = insured(given, data | shown(data, "mdtrtinfo"), at)
    _must_be_known(enrolment.region_id, enrolment.insurance, timezone.localdate(data["begntime"]))
    _check_diagnoses(given["diseinfo"], at, data["psn_no"])
    _must_be_free(member.pk, data["begntime"], None)
    visit = Visit.objects.create(
        mdtrt_id=new_number(enrolment.region_id, at),
        institution=institution,
        member=member,
        region_id=enrolment.region_id,
        insurance=enrolment.insurance,
        kind=CareKind.INPATIENT,
        ipt_otp_no=data["ipt_no"],
        begun_at=data["begntime"],
        registered_at=at,
        **_outline(data),
    )
    Stay.objects.create(visit=visit, member=member, admitted_at=visit.begun_at, admission=state(data))
    _diagnose(visit, given["diseinfo"], at_discharge=False)
    return {"result": {"mdtrt_id": visit.mdtrt_id}}


def discharge(*, institution: Institution, msgid: str, given: dict[str, Any], at: datetime.datetime) -> dict[str, Any]:
    """Answer 2402: the patient has gone, and every line lies within the stay.

    Raises Refused: visit_unknown, stay_discharged, stay_settled, stay_cancelled, insutype_other, time_later,
    discharge_early, discharge_before_part, line_outside_stay, other_person.
    """
    data = given["dscginfo"]
    stay = stay_of(institution, data["mdtrt_id"], data["psn_no"], lock=True)
    must_follow(stay, Step.DISCHARGE)
    if answers.INSUTYPE[stay.visit.insurance] != data["insutype"]:
        raise Refused("insutype_other")
    stay.discharged_at = _end(stay.admitted_at, "dscginfo.endtime", data["endtime"], at)
    if data["die_date"] and data["die_date"] > timezone.localdate(at):
        raise Refused("time_later", field="dscginfo.die_date")
    _parts_must_lie_within(stay, "dscginfo.endtime")
    _lines_must_lie_within(stay)
    _check_diagnoses(given["diseinfo"], at, data["psn_no"], data["mdtrt_id"])
    stay.state, stay.discharge = Where.DISCHARGED, state(data)
    stay.save(update_fields=["state", "discharged_at", "discharge"])
    _diagnose(stay.visit, given["diseinfo"], at_discharge=True)
    return {}


def change(*, institution: Institution, msgid: str, given: dict[str, Any], at: datetime.datetime) -> dict[str, Any]:
    """Answer 2403: what was said at the admission, said anew; the time of discharge too, once there is one.

    Diagnoses, if any are sent, take the place of those of the admission. Raises Refused: visit_unknown, stay_settled,
    stay_cancelled, med_type_unsupported, time_later, discharge_early, discharge_before_part, not_insured, not_covered,
    stay_open, stay_overlaps, line_outside_stay, other_person.
    """
    data = given["adminfo"]
    stay = stay_of(institution, data["mdtrt_id"], data["psn_no"], lock=True)
    must_follow(stay, Step.CHANGE)
    if data["med_type"] not in MED_TYPES:
        raise Refused("med_type_unsupported")
    _check_diagnoses(given["diseinfo"], at, data["psn_no"], data["mdtrt_id"])
    _move(stay, data, at)
    visit, said = stay.visit, {"ipt_no" if name == "ipt_otp_no" else name: value for name, value in data.items()}
    stay.admission = state(said)
    stay.save(update_fields=["admitted_at", "discharged_at", "admission"])
    changed = {"begun_at": stay.admitted_at, "ipt_otp_no": data["ipt_otp_no"], **_outline(data)}
    Visit.objects.filter(pk=visit.pk).update(**changed)
    if given["diseinfo"]:
        _diagnose(visit, given["diseinfo"], at_discharge=False)
    return {}


def cancel(*, institution: Institution, msgid: str, given: dict[str, Any], at: datetime.datetime) -> dict[str, Any]:
    """Answer 2404: the admission never was. Lines that were uploaded go with it: the message order does not ask for
    them to be taken back first.

    Raises Refused: visit_unknown, stay_discharged, stay_settled, stay_cancelled, stay_paid (a part of it is settled).
    """
    data = given["data"]
    take_back(stay_of(institution, data["mdtrt_id"], data["psn_no"], lock=True), at)
    return {}


def take_back(stay: Stay, at: datetime.datetime) -> None:
    """Cancel a stay that the caller has locked. Raises Refused as `cancel` does."""
    must_follow(stay, Step.CANCEL)
    if stay.visit.settlements.filter(reversed_at=None).exists():
        raise Refused("stay_paid")
    Stay.objects.filter(pk=stay.pk).update(state=Where.CANCELLED)
    Visit.objects.filter(pk=stay.pk).update(ended="cancelled", ended_at=at)


def readmit(*, institution: Institution, msgid: str, given: dict[str, Any], at: datetime.datetime) -> dict[str, Any]:
    """Answer 2405: the discharge never was, and its diagnoses go with it.

    Raises Refused: visit_unknown, discharge_unknown, stay_settled, stay_cancelled, stay_open or stay_overlaps (the
    patient has been admitted again since).
    """
    data = given["data"]
    stay = stay_of(institution, data["mdtrt_id"], data["psn_no"], lock=True)
    must_follow(stay, Step.READMIT)
    _must_be_free(stay.member_id, stay.admitted_at, None, but=stay)
    stay.state, stay.discharged_at, stay.discharge = Where.ADMITTED, None, None
    stay.save(update_fields=["state", "discharged_at", "discharge"])
    stay.visit.diagnoses.filter(at_discharge=True).delete()
    return {}


def must_follow(stay: Stay, step: Step) -> None:
    """Raises Refused with the code of the life of a stay, if the step cannot follow now."""
    why = staying.refusal(Where(stay.state), step)
    if why:
        raise Refused(why)


def shown(data: Mapping[str, Any], place: str) -> dict[str, Any]:
    """The credential that inpatient calls show: the text wants its number and lets the ID number stand for it.

    Raises Rejected("field_missing") if neither is there.
    """
    if data["mdtrt_cert_no"]:
        return {name: data[name] for name in ("psn_no", "mdtrt_cert_type", "mdtrt_cert_no")}
    if data["certno"]:
        return {"psn_no": data["psn_no"], "mdtrt_cert_type": ID_CARD, "mdtrt_cert_no": data["certno"]}
    raise Rejected("field_missing", field=f"{place}.mdtrt_cert_no")


def not_later(field: str, moment: datetime.datetime, at: datetime.datetime) -> None:
    """Raises Refused("time_later") for a moment in the future; clocks of institutions run ahead a little."""
    if moment > at + AHEAD:
        raise Refused("time_later", field=field)


def _move(stay: Stay, data: Mapping[str, Any], at: datetime.datetime) -> None:
    """Other times of a stay. A discharge time that comes before the discharge (2402) is not looked at."""
    visit, begun = stay.visit, data["begntime"]
    not_later("adminfo.begntime", begun, at)
    day = timezone.localdate(begun)
    if day != timezone.localdate(stay.admitted_at):
        held = enrolment_on(visit.member, day)
        if held is None or (held.region_id, held.insurance) != (visit.region_id, visit.insurance):
            raise Refused("not_insured")
        _must_be_known(visit.region_id, visit.insurance, day)
    if stay.discharged_at:
        stay.discharged_at = _end(begun, "adminfo.endtime", data["endtime"] or stay.discharged_at, at)
        _parts_must_lie_within(stay, "adminfo.endtime")
    stay.admitted_at = begun
    _must_be_free(stay.member_id, begun, stay.discharged_at, but=stay)
    _lines_must_lie_within(stay)


def _end(begun: datetime.datetime, field: str, ended: datetime.datetime, at: datetime.datetime) -> datetime.datetime:
    """The moment of discharge; of clients that send the day alone it is the day's first, which may be too early."""
    not_later(field, ended, at)
    if timezone.localdate(ended) < timezone.localdate(begun):
        raise Refused("discharge_early", field=field, admitted=_told(begun))
    return max(begun, ended)


def _must_be_known(region_id: str, insurance: str, day: datetime.date) -> None:
    """Better at the admission than at the settlement. Raises Refused("not_covered")."""
    if not scheme_on(region_id, insurance, CareKind.INPATIENT, day).scheme.known:
        raise Refused("not_covered", why="not_known")


def _must_be_free(
    member_id: int, begun: datetime.datetime, ended: datetime.datetime | None, but: Stay | None = None
) -> None:
    """Nobody lies in two beds. The row of the member is locked: of two hospitals that admit him at once one is second.

    The database holds it too (stay_no_overlap)."""
    Member.objects.select_for_update(no_key=True).get(pk=member_id)
    others = Stay.objects.filter(member_id=member_id).exclude(state=Where.CANCELLED).order_by("admitted_at")
    if but:
        others = others.exclude(pk=but.pk)
    if ended:
        others = others.filter(admitted_at__lt=ended)
    other = others.filter(Q(discharged_at=None) | Q(discharged_at__gt=begun)).first()
    if other is None:
        return
    if other.discharged_at is None:
        raise Refused("stay_open", since=_told(other.admitted_at))
    raise Refused("stay_overlaps", since=_told(other.admitted_at), until=_told(other.discharged_at))


def _parts_must_lie_within(stay: Stay, field: str) -> None:
    """A part that was settled counts by its own day; it cannot be one after the discharge."""
    last = settled_of(stay.visit).last
    if last and stay.days[1] < last.settlement.service_on:
        raise Refused("discharge_before_part", field=field, settled=f"{last.settlement.service_on}")


def _lines_must_lie_within(stay: Stay) -> None:
    for sn, moment in stay.visit.lines.filter(cancelled_at=None).order_by("id").values_list("sn", "occurred_at"):
        must_lie_within(stay, sn, moment)


def must_lie_within(stay: Stay, sn: str, moment: datetime.datetime) -> None:
    """Raises Refused for a line of a day before the admission or after the discharge."""
    first, last = stay.days
    if staying.is_within(timezone.localdate(moment), first, last):
        return
    if last is None:
        raise Refused("line_before_stay", line=sn, first=f"{first}")
    raise Refused("line_outside_stay", line=sn, first=f"{first}", last=f"{last}")


def _check_diagnoses(
    rows: Iterable[Mapping[str, Any]], at: datetime.datetime, person: str, mdtrt_id: str | None = None
) -> None:
    """A diagnosis that names another person or visit would be kept in the wrong record."""
    for place, row in enumerate(rows):
        if row["psn_no"] != person:
            raise Refused("other_person", field=f"diseinfo[{place}].psn_no")
        if mdtrt_id and row["mdtrt_id"] != mdtrt_id:
            raise Refused("other_person", field=f"diseinfo[{place}].mdtrt_id")
        not_later(f"diseinfo[{place}].diag_time", row["diag_time"], at)


def _diagnose(visit: Visit, rows: Iterable[Mapping[str, Any]], *, at_discharge: bool) -> None:
    """These and no others; of a code that comes twice the later row counts."""
    visit.diagnoses.filter(at_discharge=at_discharge).delete()
    latest = {(row["diag_type"], row["diag_code"]): row for row in rows}
    Diagnosis.objects.bulk_create(
        Diagnosis(
            visit=visit,
            at_discharge=at_discharge,
            kind=row["diag_type"],
            code_index=Diagnosis.index_of(visit.pk, row["diag_code"]),
            is_main=row["maindiag_flag"] == "1",
            order=row["diag_srt_no"],
            said=stating.diagnosis(row),
            diagnosed_at=row["diag_time"],
        )
        for row in latest.values()
    )


def _outline(data: Mapping[str, Any]) -> dict[str, str | None]:
    """What a stay shares with other visits."""
    return {"med_type": data["med_type"], "illness": stating.illness(data)}


def _told(moment: datetime.datetime) -> str:
    return f"{timezone.localtime(moment):%Y-%m-%d %H:%M}"

"""1201: which institutions are designated."""

import datetime
from typing import Any

from accounts.enums import InstitutionKind, Level
from accounts.models import Institution
from gateway.errors import Rejected

KINDS = {"1": InstitutionKind.HOSPITAL, "2": InstitutionKind.PHARMACY}
LEVELS = {Level.PRIMARY: "1", Level.SECONDARY: "2", Level.TERTIARY: "3", Level.TOP: "3"}
MOST = 100


def find(*, institution: Institution, msgid: str, given: dict[str, Any], at: datetime.datetime) -> dict[str, Any]:
    """Answer 1201: by code, else by a part of the name; at most 100, by name. An empty list where there is none.

    Raises Rejected("field_missing") without either.
    """
    data = given["medinsinfo"]
    if not data["fixmedins_code"] and not data["fixmedins_name"]:
        raise Rejected("field_missing", field="medinsinfo.fixmedins_code")
    found = Institution.objects.filter(kind=KINDS.get(data["fixmedins_type"], ""), is_active=True)
    # Zhejiang's program sends both, and has its own idea of the name.
    if data["fixmedins_code"]:
        found = found.filter(code=data["fixmedins_code"])
    else:
        found = found.filter(name__icontains=data["fixmedins_name"])
    return {"medinsinfo": [_row(one, data["fixmedins_type"]) for one in found.order_by("name", "code")[:MOST]]}


def _row(found: Institution, kind: str) -> dict[str, Any]:
    hospital = found.kind == InstitutionKind.HOSPITAL
    return {
        "fixmedins_code": found.code,
        "fixmedins_name": found.name,
        "uscc": None,
        "fixmedins_type": kind,
        "hosp_lv": LEVELS[Level(found.level)] if hospital else None,
    }

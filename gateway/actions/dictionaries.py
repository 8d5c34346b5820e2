"""1901: what the codes of a field mean."""

import datetime
from typing import Any

from accounts.models import Institution
from gateway.errors import Rejected
from gateway.fields.tables import code_lists, edition, fold

MAINTAINER = "FSI"


def look_up(*, institution: Institution, msgid: str, given: dict[str, Any], at: datetime.datetime) -> dict[str, Any]:
    """Answer 1901: the valid codes of a list in the order of the text. The lists are the same everywhere and flat, so
    division, parent and date narrow nothing but: no code has a parent, and none is invalid.

    Raises Rejected: dictionary_unknown.
    """
    data = given["data"]
    name = next((name for name in code_lists() if fold(name) == fold(data["type"])), None)
    if name is None:
        raise Rejected("dictionary_unknown", type=data["type"])
    # Some clients send "0" for no parent.
    narrowed = data["Vali_Flag"] == "0" or (data["parent_value"] or "0") != "0"
    issued, version = edition()
    return {
        "list": [
            {
                "type": name,
                "label": label,
                "value": code,
                "parentValue": None,
                "sort": place,
                "valiFlag": "1",
                "createUser": MAINTAINER,
                "createDate": issued,
                "version": version,
            }
            for place, (code, label) in enumerate(code_lists()[name].items(), start=1)
            if not narrowed
        ]
    }

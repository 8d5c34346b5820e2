"""The one-time notice (一次性告知): all that is missing for a matter, once and in writing. On paper always in Chinese."""

import datetime
import hashlib
import json
from collections.abc import Sequence
from typing import Any

from django.utils import timezone, translation

from accounts import dates, masks
from accounts.models import Member, User
from casework import kinds
from counter.papers.receipts import printed
from documents.actions import issue

NOTICE = "one_time_notice"


def title_of(kind: str) -> str:
    """What the matter is called, in the reader's language."""
    return str(kinds.get(kind).title)


def print_notice(
    *,
    member: Member,
    kind: str,
    missing: Sequence[int],
    other: str,
    office: str,
    paper: str,
    by: User,
    at: datetime.datetime,
) -> bytes:
    """The notice for a member; `missing`: places in the kind's materials. The same again on the same day is a marked copy.

    Raises PermissionDenied, and Refused("not_printable").
    """
    data = notice(member, kind, missing, other, office, at) | {"paper": paper}
    told = hashlib.sha256(json.dumps(data, sort_keys=True).encode()).hexdigest()[:12]
    return printed(NOTICE, member, f"{kind} {told}", data, by, at)


@translation.override(issue.LANGUAGE)
def notice(
    member: Member, kind: str, missing: Sequence[int], other: str, office: str, at: datetime.datetime
) -> dict[str, Any]:
    """What documents/typst/receipt.typ sets: what is missing, and the whole list to compare with."""
    materials = [str(one) for one in kinds.get(kind).materials]
    wanted = [materials[place] for place in missing] + ([other] if other else [])
    return {
        "title": "一次性告知书",
        "facts": [
            ["参保人", masks.mask_name(member.name)],
            ["事项", title_of(kind)],
            ["告知日期", dates.day(timezone.localdate(at))],
            ["告知窗口", office],
        ],
        "sections": [{"title": "还需要补齐", "lines": wanted}, {"title": "本事项全部材料", "lines": materials}],
        "notes": ["补齐上列材料后再来，凭本告知书到窗口办理。本告知书没有列出的材料，不再要求补充。"],
        "sign": ["参保人签名", "经办人签名"],
    }

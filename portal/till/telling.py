"""What the till shows: who paid, refusals in the reader's words, messages masked as the house masks, a command to copy."""

import datetime
import re
from dataclasses import dataclass
from decimal import Decimal
from shlex import quote
from typing import Any

from django.conf import settings
from django.utils import translation
from django.utils.translation import gettext as _

from accounts import language, masks, reasons
from accounts.models import Member
from gateway import documentation, masking
from gateway.actions.messages import TRANSACTIONS
from gateway.client import PATH
from gateway.models import InstitutionKey
from gateway.texts import TEXTS
from portal.till.calling import Declined, NoAnswer
from portal.till.visit import Paid, Visit

BAR_KINDS = {
    "fund": "fund",
    "supplement": "fund",
    "current": "current",
    "historical": "history",
    "own": "wallet",
    "family": "family",
    "cash": "cash",
}
# Where a refusal belongs: the part of the page in which something can be done about it. Everything else: paying.
OF_PATIENT = {
    "person_unknown",
    "not_insured",
    "insutype_not_his",
    "insurance_ended",
    "insutype_other",
    "insuplc_other",
    "closed",
}
OF_BASKET = {"line_amount", "line_later", "line_repeated", "lines_too_many", "amount_too_large", "total_other"}
COMMAND = """\
# {number} {name}
{given}
ts=$(date +%s); nonce=$(openssl rand -hex 16)
sign=$(printf %s "$ts$SECRET$nonce$ts" | openssl dgst -sha256 -r | cut -d' ' -f1)
curl -sS {url} \\
  -H 'Content-Type: application/json' -H 'x-tif-paasid: {key_id}' \\
  -H "x-tif-timestamp: $ts" -H "x-tif-nonce: $nonce" -H "x-tif-signature: $sign" \\
  --data-binary @- <<BODY
{body}
BODY
"""


@dataclass(frozen=True)
class Problem:
    """Something that did not work: where on the page, what and what to do, the code in brackets, the line meant if any."""

    place: str
    reason: str
    remedy: str = ""
    code: str = ""
    line: int = 0


def payers(paid: Paid) -> list[dict[str, Any]]:
    """For the bar and its legend: kind, label, amount."""
    labels = {
        "fund": _("Pooled fund"),
        "supplement": _("Supplementary fund"),
        "current": _("Own balance of this year"),
        "historical": _("Own balance of earlier years"),
        "own": _("Own account or wallet"),
        "family": _("Relatives' accounts"),
        "cash": _("Cash"),
    }
    return [
        {"kind": BAR_KINDS[payer], "label": labels[payer], "amount": Decimal(amount)}
        for payer, amount in paid.shares.items()
    ]


def why(paid: Paid, *, back: bool) -> str:
    """The sentence beside the cash; `back`: of a reversal."""
    cash = Decimal(paid.shares.get("cash", "0"))
    if back and cash == paid.total:
        return _("Neither fund nor account had paid anything.")
    if back:
        return _("The rest went back to fund and accounts; the list below says how much to each.")
    if cash == paid.total:
        return _("Neither fund nor account pays anything of it.")
    return _("The rest is paid by fund and accounts; the list below says how much each.")


# Refusals


def declined(said: Declined) -> Problem:
    """A refusal at its place, in the reader's words."""
    code = said.code
    line = re.search(r"\d+", _params(said).get("line", ""))
    place = "patient" if code in OF_PATIENT else "basket" if code in OF_BASKET else "pay"
    remedy = documentation.remedy(code) if said.same_again or code in documentation.SETUP else reasons_remedy(code)
    return Problem(place, _told(said), remedy, code, int(line[0]) if line else 0)


def reasons_remedy(code: str) -> str:
    return "" if code in TEXTS or code not in reasons.registered() else reasons.tell(code).remedy


def _told(said: Declined) -> str:
    if language.is_chinese() or said.code not in {*TEXTS, *reasons.registered()}:
        return said.err_msg.removeprefix("FSI-").removesuffix(f"[{said.code}]")
    if said.code in TEXTS:
        return str(TEXTS[said.code]) % _Dashes(_params(said))
    return reasons.tell(said.code).reason


def _params(said: Declined) -> dict[str, str]:
    """The facts in a refusal, found by the text that the gateway fills: it answers in one language, whoever reads."""
    if said.code not in TEXTS:
        return {}
    with translation.override(settings.LANGUAGE_CODE):
        text = str(TEXTS[said.code])
    words = re.split(r"%\((\w+)\)s", text)
    names = words[1::2]
    pattern = "(.+?)".join(re.escape(word) for word in words[::2])
    found = re.fullmatch(f"FSI-{pattern}\\[{said.code}\\]", said.err_msg)
    return dict(zip(names, found.groups(), strict=True)) if found else {}


class _Dashes(dict[str, str]):
    def __missing__(self, key: str) -> str:
        return "—"


def no_answer(error: NoAnswer, visit: Visit) -> Problem:
    """The gateway cannot be reached, or has not answered."""
    facts = {"url": settings.TILL_URL, "why": error.why}
    if not error.sent:
        reason = _("The till cannot reach the gateway at %(url)s: %(why)s.") % facts
        return Problem("top", reason, _("Nothing was sent. See that the portal answers there, or set TILL_URL."))
    reason = _("The till called %(url)s and got no answer it can read: %(why)s.") % facts
    if visit.unsure:
        return Problem("top", reason, _("What became of it is not known. Send the same message again: it acts once."))
    return Problem("top", reason, _("Nothing was changed. Try again in a moment."))


def taken() -> Problem:
    """Another page is talking."""
    return Problem(
        "top", _("Another till is at work on this server just now."), _("Nothing was sent. Press once more.")
    )


# Messages


def shown(message: dict[str, Any], visit: Visit, key: InstitutionKey) -> dict[str, Any]:
    """A message for the page; numbers of people and their names masked."""
    answer = masking.parsed(message["answer"])
    ok = isinstance(answer, dict) and str(answer.get("infcode")) == "0"
    member = Member.objects.get(public_id=visit.member)
    first = visit.message(message["repeats"])
    return row(message) | {
        "ok": ok,
        "request": _request(message),
        "response": _response(message, answer),
        "command": command(message, key, member, full=False),
        "same": first is not None and first["answer"] == message["answer"],
        "may_repeat": ok and TRANSACTIONS[message["infno"]].changes and not message["repeats"],
    }


def row(message: dict[str, Any]) -> dict[str, Any]:
    """A message in the list of the visit."""
    answer = masking.parsed(message["answer"])
    infcode = str(answer.get("infcode")) if isinstance(answer, dict) else None
    state, word = {
        "0": ("ok", _("Done")),
        "-1": ("bad", _("Refused")),
    }.get(str(infcode), ("off", _("No answer")))
    return {
        "number": message["number"],
        "infno": message["infno"],
        "name": documentation.entry(message["infno"]).name,
        "msgid": message["msgid"],
        "at": datetime.datetime.fromisoformat(message["at"]),
        "ms": message["ms"],
        "state": state,
        "word": word,
        "repeats": message["repeats"],
    }


def _request(message: dict[str, Any]) -> str:
    headers = [f"{name}: {value}" for name, value in message["headers"].items()]
    return "\n".join([f"POST {PATH}", *headers, "", masking.laid_out(message["body"])])


def _response(message: dict[str, Any], answer: Any) -> str:
    if message["status"] is None:
        return f"({message['lost']})"
    headers = [f"{name}: {value}" for name, value in message["answer_headers"].items()]
    body = masking.laid_out(message["answer"]) or message["answer"]
    return "\n".join([f"HTTP {message['status']}", *headers, "", body])


def command(message: dict[str, Any], key: InstitutionKey, member: Member, *, full: bool) -> str:
    """The message as a command for a shell, signed when it runs. `full`: with the secret and the person's number in it,
    for a file that runs as it is; else both are left to be filled in."""
    body = message["body"]
    for sign in ("\\", "$", "`"):
        body = body.replace(sign, f"\\{sign}")
    given = [("SECRET", key.secret, _("key %(key)s, see /demo/") % {"key": key.key_id})]
    for variable, value, hint in (
        ("ID", member.id_number, masks.mask_id(member.id_number)),
        ("NAME", member.name, masks.mask_name(member.name)),
    ):
        if f'"{value}"' in body:
            body = body.replace(f'"{value}"', f'"${variable}"')
            given.append((variable, value, hint))
    lines = [f"{name}={quote(value)}" if full else f"{name}=''  # {hint}" for name, value, hint in given]
    return COMMAND.format(
        number=message["infno"],
        name=documentation.entry(message["infno"]).name,
        given="\n".join(lines),
        url=quote(settings.TILL_URL + PATH),
        key_id=key.key_id,
        body=body,
    )

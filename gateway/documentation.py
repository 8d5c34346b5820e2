"""What the pages for technicians show: made from the tables, so that they cannot differ from what the gateway does."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.utils import translation
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts import reasons
from accounts.language import is_chinese
from accounts.wording import listed
from gateway import envelope, fields
from gateway.actions.messages import TRANSACTIONS
from gateway.domain import json_text
from gateway.errors import Rejected
from gateway.fields import Field, Node, samples
from gateway.fields.tables import code_lists, code_lists_in_english, fold, load_toml, open_lists
from gateway.texts import REASONS, TEXTS, err_msg

ENVELOPE = "envelope"
GROUPS: tuple[tuple[Promise, tuple[str, ...]], ...] = (
    (gettext_lazy("Signing in"), ("90",)),
    (gettext_lazy("Base information"), ("11", "12", "19", "20")),
    (gettext_lazy("Outpatients"), ("22",)),
    (gettext_lazy("Pharmacies"), ("21",)),
    (gettext_lazy("Inpatients"), ("24", "23")),
    (gettext_lazy("Correction"), ("26",)),
    (gettext_lazy("Reconciliation and files"), ("32", "91")),
    (gettext_lazy("Queries"), ("52", "53")),
)
# What helps after a refusal. Nothing was done in any of these cases.
SAME_AGAIN = frozenset({"system_error", "busy", "body_cut"})
# Turned away at the door, so that nothing is kept: what a technician looks at.
SETUP: dict[str, Promise] = {
    "headers_missing": gettext_lazy(
        "Send all headers of one way of signing; a proxy on the way may drop those with underscores."
    ),
    "timestamp_off": gettext_lazy("Set the clock of the machine by a time server, and sign each call when it is sent."),
    "key_unknown": gettext_lazy(
        "Compare the key ID with the one that was issued, and the way of signing with that of the key."
    ),
    "signature_wrong": gettext_lazy(
        "Compare the secret, and sign exactly the bytes that are sent; the page on signing has a program for each way."
    ),
    "key_expired": gettext_lazy("Have the administrator issue a new key, and put it in."),
    "nonce_used": gettext_lazy("Make a new nonce for each call, also for one that is sent again."),
    "institution_unknown": gettext_lazy(
        "Send as fixmedins_code the code of the institution that the key was issued to."
    ),
    "institution_suspended": gettext_lazy("Ask the insurance office why, and from when on it may settle again."),
    "address_not_allowed": gettext_lazy(
        "Call from an allowed address, or have the administrator allow this one in the institution's settings."
    ),
    "sign_in_needed": gettext_lazy("Sign in (9001) every day, and send the number that it gives with each call."),
    "path_unknown": gettext_lazy("Take the address from the page of the transaction."),
    "post_only": gettext_lazy("Send the message by POST."),
}
# What was asked for is so already.
DONE_ALREADY = ("duplicate", "already_reversed")
# Codes of the settlement itself that reach an institution, told by accounts.reasons.
OF_SETTLEMENTS = ("not_insured", "closed")
ANSWERED_AT, SERIAL = "20261122093015", "0000000042"


@dataclass(frozen=True)
class Row:
    """One field as a page shows it."""

    name: str
    also: str
    kind: str
    need: str
    title: str
    notes: str
    dictionary: str
    is_always: bool
    is_wanted: bool


@dataclass(frozen=True)
class Section:
    """One node, or the columns of a file."""

    name: str
    title: str
    many: bool
    optional: bool
    rows: tuple[Row, ...]


@dataclass(frozen=True)
class Entry:
    """A transaction in the list; `found`: the fields by which a search met it."""

    number: str
    name: str
    other_name: str
    is_there: bool
    found: tuple[str, ...] = ()


@dataclass(frozen=True)
class Group:
    title: Promise
    entries: tuple[Entry, ...]


@dataclass(frozen=True)
class Page:
    """Everything about one transaction."""

    entry: Entry
    remarks: tuple[str, ...]
    input: tuple[Section, ...]
    output: tuple[Section, ...]
    columns: tuple[Section, ...]
    request: str
    answer: str
    lists: tuple[tuple[str, tuple[tuple[str, str], ...]], ...]
    changes: bool


@dataclass(frozen=True)
class Refusal:
    code: str
    text: str
    remedy: str


def groups(asked: str = "") -> list[Group]:
    """The transactions by subject; with a search those whose number, name or fields hold every word of it, and if there
    are none, those whose remarks do."""
    words = [fold(word) for word in asked.split()]
    return _grouped(_met, words) or _grouped(_told, words)


def _grouped(meets: Callable[[str, list[str]], Entry | None], words: list[str]) -> list[Group]:
    found = []
    for title, prefixes in GROUPS:
        numbers = sorted(
            (number for number in fields.known() if number.startswith(prefixes)),
            key=lambda number: (prefixes.index(number[:2]), number),
        )
        entries = tuple(made for number in numbers if (made := meets(number, words)) is not None)
        if entries:
            found.append(Group(title, entries))
    return found


def _met(number: str, words: list[str]) -> Entry | None:
    """The entry if every word is in the transaction's own names, or in the names of one of its fields."""
    if not words or all(any(word in fold(name) for name in _names(number)) for word in words):
        return entry(number)
    met = [
        field.name
        for field in _fields(number)
        if all(any(word in fold(text) for text in (field.name, *field.also, *_titles(field))) for word in words)
    ]
    return entry(number, tuple(dict.fromkeys(met))) if met else None


def _told(number: str, words: list[str]) -> Entry | None:
    """The entry if its remarks, in either language, hold every word."""
    remarks = fold(" ".join(text for pair in load_toml("remarks").get(number, ()) for text in pair))
    return entry(number) if all(word in remarks for word in words) else None


def _names(number: str) -> tuple[str, ...]:
    return number, fields.tables(number).name, load_toml("names")["transactions"][number]


def entry(number: str, found: tuple[str, ...] = ()) -> Entry:
    """A transaction as lists name it, in the reader's language first. Raises KeyError."""
    _number, chinese, english = _names(number)
    names = (chinese, english) if is_chinese() else (english, chinese)
    return Entry(number, *names, is_there=number in TRANSACTIONS or number == ENVELOPE, found=found)


def _fields(number: str) -> Iterator[Field]:
    tables = fields.tables(number)
    for node in (*tables.input, *tables.output):
        yield from node.fields
        for inner in node.nodes:
            yield from inner.fields
    yield from (*tables.columns_in, *tables.columns_out)


def _titles(field: Field) -> tuple[str, str]:
    """The name of a field in Chinese and in English."""
    return load_toml("names")["fields"][field.name], field.meaning.partition(";")[0].strip()


def page(number: str) -> Page:
    """One transaction, or the envelope. Raises KeyError."""
    tables = fields.tables(number)
    named = [(_("Columns of the uploaded file"), tables.columns_in), (_("Columns of the result"), tables.columns_out)]
    return Page(
        entry=entry(number),
        remarks=tuple(pair[0 if is_chinese() else 1] for pair in load_toml("remarks").get(number, ())),
        input=tuple(_sections(tables.input)),
        output=tuple(_sections(tables.output)),
        columns=tuple(Section("", title, False, False, _rows(columns)) for title, columns in named if columns),
        request=sample_request(number),
        answer=sample_answer(number),
        lists=tuple((name, code_list(name)) for name in _lists_of(number)),
        changes=number in TRANSACTIONS and TRANSACTIONS[number].changes,
    )


def _sections(nodes: Iterable[Node], inside: str = "") -> Iterator[Section]:
    for node in nodes:
        name = "output" if node.bare else f"{inside}{node.name}"
        title = load_toml("names")["nodes"][node.name] if is_chinese() else ""
        yield Section(name, title, node.many, not node.required, _rows(node.fields))
        yield from _sections(node.nodes, f"{name}.")


def _rows(columns: Iterable[Field]) -> tuple[Row, ...]:
    return tuple(_row(field) for field in columns)


def _row(field: Field) -> Row:
    chinese, english = _titles(field)
    notes = [part.strip() for part in field.meaning.split(";")[1:]]
    if is_chinese():
        notes = [load_toml("names")["notes"][note] for note in notes]
    has_list = field.dictionary in code_lists()
    return Row(
        name=field.name,
        also=listed(field.also),
        kind=kind_of(field),
        need={"Y": _("Required"), "(Y)": _("May be left out"), "": _("Optional")}[field.need],
        title=chinese if is_chinese() else english,
        notes=("；" if is_chinese() else "; ").join(notes),
        dictionary=field.dictionary if has_list else "",
        is_always=field.required,
        is_wanted=field.wanted,
    )


def kind_of(field: Field) -> str:
    """The type as the text of the interface writes it."""
    if field.kind == "num":
        return f"{'±' * field.signed}num({field.size}{f',{field.places}' if field.places else ''})"
    return f"{field.kind}({field.size})" if field.size else field.kind


def _lists_of(number: str) -> list[str]:
    return list(dict.fromkeys(field.dictionary for field in _fields(number) if field.dictionary in code_lists()))


def code_list(name: str) -> tuple[tuple[str, str], ...]:
    """Codes and what they mean, in the reader's language."""
    return tuple((code_lists() if is_chinese() else code_lists_in_english())[name].items())


def every_list() -> list[tuple[str, str, bool, tuple[tuple[str, str], ...]]]:
    """All code lists by name: what the field is called, whether the list is open, its codes."""
    titles = {field.dictionary: _titles(field) for number in sorted(fields.known()) for field in _fields(number)}
    return [
        (name, titles[name][0 if is_chinese() else 1] if name in titles else "", name in open_lists(), code_list(name))
        for name in sorted(code_lists())
    ]


def sample_request(number: str) -> str:
    """A whole request, as text to copy."""
    if number == ENVELOPE:
        return json_text.pretty(samples.envelope_fields() | {"input": samples.request_input("1101")})
    return json_text.pretty(samples.envelope_fields() | {"infno": number, "input": samples.request_input(number)})


def sample_answer(number: str) -> str:
    """A whole answer; empty for the one that is a file."""
    if number == "9102":
        return ""
    refmsgid = f"310000{ANSWERED_AT}{SERIAL}"
    return _answer(envelope.SUCCESS, refmsgid, "", samples.answer_output("1101" if number == ENVELOPE else number))


def sample_failure() -> str:
    """A whole answer that says no."""
    with translation.override(settings.LANGUAGE_CODE):
        told = err_msg(Rejected("field_missing", field="data.psn_no"))
    return _answer(envelope.FAILURE, None, told, None)


def _answer(infcode: int, refmsgid: str | None, told: str, output: Any) -> str:
    return json_text.pretty(
        {
            "infcode": infcode,
            "inf_refmsgid": refmsgid,
            "refmsg_time": f"{ANSWERED_AT}480",
            "respond_time": f"{ANSWERED_AT}495",
            "warn_msg": None,
            "cainfo": None,
            "signtype": None,
            "err_msg": told,
            "output": output,
        }
    )


def sample_file(number: str) -> str:
    """A line of the file that 3202 takes, tabs and all."""
    return "\t".join(samples.file_line(fields.tables(number).columns_in))


def refusals(asked: str = "") -> list[Refusal]:
    """Every code that may stand in brackets, what it says, and what helps; with a search those that hold it."""
    said = {code: [_plain(str(text))] for code, text in TEXTS.items()}
    for reason, text in REASONS.items():
        said.setdefault(reason.partition(".")[0], []).append(_plain(str(text)))
    told = [Refusal(code, " / ".join(texts), remedy(code)) for code, texts in said.items()]
    told += [Refusal(code, *reasons.tell(code)) for code in OF_SETTLEMENTS]
    return [refusal for refusal in told if asked.lower() in f"{refusal.code} {refusal.text} {refusal.remedy}".lower()]


def _plain(text: str) -> str:
    """A text with its facts left open: %(line)s as …"""
    return text % _Ellipsis()


class _Ellipsis(dict[str, str]):
    def __missing__(self, key: str) -> str:
        return "…"


def remedy_at_the_door(code: str) -> str:
    """What the technician does whose call was turned away before it was kept: its msgid is as good as new."""
    if code in SETUP or code in SAME_AGAIN:
        return remedy(code)
    return _("Read err_msg, which names the place, and put the message right. Nothing was done; sign the call anew.")


def remedy(code: str) -> str:
    """What a program does after a refusal."""
    if code in SAME_AGAIN:
        return _("Send the same msgid again after a moment; nothing happens twice.")
    if code in SETUP:
        return _("%(remedy)s Nothing was done; sign the call anew.") % {"remedy": SETUP[code]}
    if code in DONE_ALREADY:
        return _("Nothing is to be done: it is already as the call would have made it.")
    return _("Put it right and send it with a new msgid; the same msgid gets the same answer.")

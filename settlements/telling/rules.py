"""A draft and its what-if as a page shows them: the changed lines, who pays more or less, and for whom."""

import difflib
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts import masks, rule_text
from accounts.enums import Insurance, Level, PersonalStatus
from accounts.money import ZERO
from settlements.actions.trials import AGES, EDGES
from settlements.enums import CareKind, RulePart
from settlements.models import RuleDraft, Trial
from settlements.queries.drafts import worst_of

BAR_HEIGHT = Decimal(120)
PAYERS = {
    "fund": gettext_lazy("Pooled fund"),
    "supplement": gettext_lazy("Supplementary fund"),
    "own": gettext_lazy("Patients' own accounts"),
    "family": gettext_lazy("Relatives' accounts"),
    "cash": gettext_lazy("Cash"),
}
AXES = {
    "level": gettext_lazy("By level of the institution"),
    "status": gettext_lazy("By working and retired"),
    "age": gettext_lazy("By age"),
}


def title(part: str, insurance: str, kind: str) -> str:
    """What a version is of: Employees, outpatient; or the sharing rules."""
    if part == RulePart.SHARING:
        return str(RulePart.SHARING.label)
    return f"{RulePart.SCHEME.label} · {Insurance(insurance).label} · {CareKind(kind).label}"


def changed_lines(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[dict[str, str]]:
    """The lines of both versions that differ, with two around each; sign is + or − or nothing, … for what is left out."""
    old, new = _lines(before), _lines(after)
    rows: list[dict[str, str]] = []
    for place, group in enumerate(difflib.SequenceMatcher(None, old, new, autojunk=False).get_grouped_opcodes(2)):
        if place or group[0][1] > 0:
            rows.append({"sign": "", "text": "…"})
        for tag, old_at, old_to, new_at, new_to in group:
            if tag == "equal":
                rows += [{"sign": "", "text": line} for line in old[old_at:old_to]]
            else:
                rows += [{"sign": "−", "text": line} for line in old[old_at:old_to]]
                rows += [{"sign": "+", "text": line} for line in new[new_at:new_to]]
    return rows


def whole(data: Mapping[str, Any]) -> str:
    """Every line of a version."""
    return "\n".join(_lines(data))


def _lines(data: Mapping[str, Any]) -> list[str]:
    return [*rule_text.origin(data), *rule_text.lines(data)]


def sums(trial: Trial) -> list[dict[str, Any]]:
    """Totals by payer, in yuan: of the settlements, under the draft, and the difference."""
    return [_row(str(label), *trial.result["sums"][key]) for key, label in PAYERS.items()]


def groups(trial: Trial) -> list[dict[str, Any]]:
    """The same by level, status and age: what people pay, with the number of bills."""
    found = []
    for axis, label in AXES.items():
        rows = trial.result["groups"][axis]
        names = sorted(rows, key=_group_order)
        found.append({"label": label, "rows": [_group(axis, name, rows[name]) for name in names]})
    return found


def _group_order(name: str) -> tuple[int, str]:
    order = [*Level.values, *PersonalStatus.values]
    return (order.index(name) if name in order else int(name) if name.isdigit() else 0), name


def _group(axis: str, name: str, row: Sequence[Any]) -> dict[str, Any]:
    match axis:
        case "level":
            label = str(Level(name).label)
        case "status":
            label = str(PersonalStatus(name).label)
        case _:
            label = _age(int(name))
    return {**_row(label, row[1], row[2]), "bills": f"{row[0]:,}"}


def _age(first: int) -> str:
    after = next((age for age in AGES if age > first), None)
    if after is None:
        return _("%(first)s and older") % {"first": first}
    return _("%(first)s to %(last)s") % {"first": first, "last": after - 1}


def _row(label: str, then: str, now: str) -> dict[str, Any]:
    return {"label": label, "then": Decimal(then), "now": Decimal(now), "more": Decimal(now) - Decimal(then)}


def bars(trial: Trial) -> list[dict[str, Any]]:
    """How many people pay so much more or less: rows for the table, with the place of each bar in a chart 1000 wide."""
    counts = trial.result["bars"]
    highest = max(counts) or 1
    step = Decimal(1000) / len(counts)
    rows = []
    for place, count in enumerate(counts):
        height = BAR_HEIGHT * count / highest
        if count:
            height = max(height, Decimal(2))
        low = EDGES[place - 1] if place else None
        rows.append(
            {
                "label": _bar(place),
                "count": f"{count:,}",
                "css": "pay-history" if low is None or low < 0 else "pay-fund" if low == 0 else "pay-current",
                "x": f"{place * step + step * Decimal('0.15'):.1f}",
                "width": f"{step * Decimal('0.7'):.1f}",
                "y": f"{BAR_HEIGHT - height:.1f}",
                "height": f"{height:.1f}",
            }
        )
    return rows


def _bar(place: int) -> str:
    low = EDGES[place - 1] if place else None
    high = EDGES[place] if place < len(EDGES) else None
    if low == ZERO:
        return _("no difference")
    if low is None or (high is not None and high <= 0):
        least, most = -int(high or 0), None if low is None else -int(low)
        if most is None:
            return _("over %(least)s yuan less") % {"least": f"{least:,}"}
        return _("up to %(most)s yuan less") % {"most": f"{most:,}"}
    if high is None:
        return _("over %(least)s yuan more") % {"least": f"{int(low):,}"}
    return _("up to %(most)s yuan more") % {"most": f"{int(high):,}"}


def worst(trial: Trial) -> list[dict[str, Any]]:
    """The bills that become dearest, by number, their patients masked."""
    return [
        {
            **_row(row["bill"].number, row["then"], row["now"]),
            "who": masks.mask_name(row["bill"].patient.name),
            "on": row["bill"].settled_on,
            "kind": row["bill"].get_kind_display(),
            "level": row["bill"].get_level_display(),
        }
        for row in worst_of(trial)
    ]


def people(trial: Trial) -> list[dict[str, str]]:
    """How many people pay less, the same, and more."""
    less, same, more = trial.result["people"]
    return [
        {"label": _("People who pay less"), "value": f"{less:,}"},
        {"label": _("People who pay the same"), "value": f"{same:,}"},
        {"label": _("People who pay more"), "value": f"{more:,}"},
    ]


def notes(trial: Trial) -> list[str]:
    """How far the figures reach: bills decided by the draft, and those that are left out, and why."""
    result, draft = trial.result, trial.draft
    counts = {"bills": f"{result['bills']:,}", "by_draft": f"{result['by_draft']:,}"}
    told = [
        _("%(by_draft)s of %(bills)s bills fall under the draft; the others keep their rules.") % counts,
        measured_by(draft),
    ]
    out = result["out"]
    if out["facts"]:
        told.append(
            _(
                "%(count)s bills are left out: from what is kept today their own settlement does not come out again"
                " (the register, a limit or the rules were corrected since)."
            )
            % {"count": f"{out['facts']:,}"}
        )
    if out["unknown"]:
        told.append(
            _("%(count)s bills are left out: the draft has no value for them, so they would be refused.")
            % {"count": f"{out['unknown']:,}"}
        )
    return told


def measured_by(draft: RuleDraft) -> str:
    """What more and less are counted by, in a sentence."""
    if draft.part == RulePart.SCHEME:
        return _("More and less: what fund and supplement leave to people, out of accounts and cash.")
    return _("More and less: what people pay in cash.")

"""What the templates of every app share: money, the drawn parts, masks, dates, the navigation, the error summary."""

from collections import Counter
from collections.abc import Iterable, Mapping
from decimal import Decimal

from django import template
from django.forms import BaseForm, BaseFormSet, BoundField
from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from accounts import dates, kinship, masks, naming, navigation
from accounts.amounts import Amount, rounded, yuan, yuan_signed, yuan_unit
from accounts.wording import comma, listed

register = template.Library()

# In this order in every bar and legend, so that a payer is found by place as well as by colour.
PAYERS = ("fund", "current", "history", "wallet", "family", "cash")
BAR_WIDTH = 1000
BAR_GAP = 2
# A payer of one fen is still seen.
BAR_LEAST = 6
CHART_HEIGHT = 200

for name, function in {
    "yuan": yuan,
    "yuan_signed": yuan_signed,
    "yuan_unit": yuan_unit,
    "listed": listed,
    "mask_name": masks.mask_name,
    "mask_id": masks.mask_id,
    "in_house": naming.in_house,
    "outside": naming.outside,
    "mask_phone": masks.mask_phone,
    "day": dates.day,
    "day_short": dates.day_short,
    "month": dates.month,
    "moment": dates.moment,
    "moment_short": dates.moment_short,
    "clock": dates.clock,
}.items():
    register.filter(name, function)


# Money


@register.simple_tag
def money(
    amount: Amount, unit: bool = False, family: bool = False, figure: bool = False, sign: bool = False, css: str = ""
) -> SafeString:
    """An amount as it stands in rows and sentences; `family` is for money to or from a relative only."""
    classes = ["portal-money"]
    classes += ["portal-money--figure"] if figure else []
    classes += ["portal-money--family"] if family else []
    classes += [css] if css else []
    text = yuan_signed(amount) if sign else yuan(amount)
    if unit:
        text = _("%(amount)s yuan") % {"amount": text}
    return format_html('<span class="{}">{}</span>', " ".join(classes), text)


@register.simple_tag
def hero_money(amount: Amount) -> SafeString:
    """The one great figure of a page: fen and unit are small."""
    whole, _dot, cents = yuan(amount).rpartition(".")
    return format_html(
        '<span class="portal-money portal-money--hero">{}<span class="portal-money__fen">.{}</span>'
        '<span class="portal-money__unit">{}</span></span>',
        whole,
        cents,
        _("yuan"),
    )


# Drawn parts


def pick(row: object, name: str) -> object:
    """A value of a dict or of an object, None when it has none."""
    return row.get(name) if isinstance(row, Mapping) else getattr(row, name, None)


@register.filter("payer_name")
def payer_label(part: object) -> str:
    """What the part calls its payer, or the payer's general name."""
    general = {
        "fund": _("Pooled fund"),
        "current": _("This year's balance"),
        "history": _("Earlier years' balance"),
        "family": _("A relative's account"),
        "cash": _("Cash"),
    }
    return str(pick(part, "label") or general[str(pick(part, "kind"))])


def bar_pieces(parts: Iterable[object]) -> list[dict]:
    """Each payer's place in a bar 1000 wide, in the fixed order; who paid nothing is left out."""
    paid = [part for part in parts if rounded(pick(part, "amount")) > 0]
    paid.sort(key=lambda part: PAYERS.index(str(pick(part, "kind"))))
    total = sum((rounded(pick(part, "amount")) for part in paid), Decimal(0))
    free = BAR_WIDTH - BAR_GAP * (len(paid) - 1) - BAR_LEAST * len(paid)
    pieces, x = [], Decimal(0)
    for part in paid:
        amount = rounded(pick(part, "amount"))
        width = BAR_LEAST + free * amount / total
        pieces.append(
            {
                "kind": str(pick(part, "kind")),
                "label": payer_label(part),
                "amount": amount,
                "x": f"{x:.1f}",
                "width": f"{width:.1f}",
                "inner": f"{max(width - 1, Decimal(1)):.1f}",
            }
        )
        x += width + BAR_GAP
    return pieces


@register.inclusion_tag("components/paid_bar.html")
def paid_bar(parts: Iterable[object], low: bool = False, total: Amount = None, id: str = "paid") -> dict:
    """Who paid: one bar, whose title holds every amount in words. The legend below it is components/payers.html."""
    pieces = bar_pieces(parts)
    whole = rounded(total) if total is not None else sum((piece["amount"] for piece in pieces), Decimal(0))
    told = [f"{piece['label']} {yuan(piece['amount'])}" for piece in pieces]
    return {"pieces": pieces, "low": low, "id": id, "total": whole, "told": comma().join(told)}


@register.inclusion_tag("components/swatch.html")
def swatch(kind: str) -> dict:
    """The square beside a payer's name."""
    return {"kind": kind}


@register.inclusion_tag("components/meter.html")
def meter(used: Amount, whole: Amount, kind: str = "family") -> dict:
    """How much of a limit is used, 0 to 1000; the figures stand beside it in words, so it is hidden from readers."""
    limit = rounded(whole)
    share = min(max(rounded(used) / limit, Decimal(0)), Decimal(1)) if limit > 0 else Decimal(0)
    return {"width": f"{share * 1000:.1f}", "css": "own" if kind == "own" else "used"}


@register.inclusion_tag("components/balance_chart.html")
def balance_chart(rows: Iterable[object], two_buckets: bool = True, id: str = "chart") -> dict:
    """Balances over time as stacked columns, with the same figures in a table. Rows: label, current, historical.

    `two_buckets` False: the region keeps one balance, and none is told apart.
    """
    read = []
    for row in rows:
        current, historical = rounded(pick(row, "current")), rounded(pick(row, "historical"))
        total = current + historical
        read.append({"label": pick(row, "label"), "current": current, "historical": historical, "total": total})
    highest = max([row["total"] for row in read], default=Decimal(0))
    step = Decimal(BAR_WIDTH) / max(len(read), 1)
    for place, row in enumerate(read):
        scale = CHART_HEIGHT / highest if highest > 0 else Decimal(0)
        below, above = row["historical"] * scale, row["current"] * scale
        row |= {
            "x": f"{place * step + step * Decimal('0.15'):.1f}",
            "width": f"{step * Decimal('0.7'):.1f}",
            "historical_y": f"{CHART_HEIGHT - below:.1f}",
            "historical_height": f"{below:.1f}",
            "current_y": f"{CHART_HEIGHT - below - above:.1f}",
            "current_height": f"{above:.1f}",
        }
    return {"rows": read, "highest": highest, "two_buckets": two_buckets, "id": id, "height": CHART_HEIGHT}


@register.simple_tag
def seal(text: str, state: str = "") -> SafeString:
    """A relative as one character. `state`: own (gives to me), wait (has not agreed yet). The name stands beside it."""
    css = {"own": " portal-seal--own", "wait": " portal-seal--wait"}.get(state, "")
    return format_html('<span class="portal-seal{}" aria-hidden="true">{}</span>', css, kinship.seal(str(text)))


@register.simple_tag
def state(kind: str, text: str) -> SafeString:
    """A state as a dot and a word: ok, wait, bad, off, or nothing for a neutral one."""
    css = f" portal-tag--{kind}" if kind else ""
    return format_html('<span class="portal-tag{}">{}</span>', css, text)


# Frame


def link(entry: navigation.Entry, request: HttpRequest) -> dict | None:
    """The entry as a link, or None while its page does not exist."""
    try:
        url = reverse(entry.url_name)
    except NoReverseMatch:
        return None
    return {"key": entry.key, "label": entry.label, "url": url, "count": entry.count(request) if entry.count else 0}


@register.inclusion_tag("components/navigation.html", takes_context=True)
def nav(context: template.Context, area: str) -> dict:
    """The bar of an area; current is the entry named by `nav` in the context, else the one under which the page was put,
    else the longest that begins the path."""
    request = context["request"]
    links = [made for entry in navigation.entries(area, request) if (made := link(entry, request))]
    found = getattr(request, "resolver_match", None)
    named = context.get("nav") or (navigation.place_of(area, found.view_name) if found else "")
    under = [made["url"] for made in links if is_under(request.path, made["url"])]
    nearest = max(under, key=len, default="")
    for made in links:
        made["current"] = made["key"] == named if named else made["url"] == nearest
    return {"links": links}


def is_under(path: str, url: str) -> bool:
    """Whether the page belongs to the link; the home page has nothing under it."""
    return path == url or (url != "/" and path.startswith(url))


@register.simple_tag(takes_context=True)
def nav_links(context: template.Context, area: str) -> list[dict]:
    """The links of an area for places that are not the bar: top right, foot."""
    request = context["request"]
    return [made for entry in navigation.entries(area, request) if (made := link(entry, request))]


# Forms


@register.filter
def first_id(field: BoundField) -> str:
    """Where a link to the field must point: its box, or the first of its boxes."""
    return field.id_for_label or f"{field.auto_id}_0"


@register.inclusion_tag("components/error_summary.html")
def error_summary(*forms: BaseForm | BaseFormSet | None) -> dict:
    """Every error of the forms, each a link to its field; nothing when there is none. Rows of a set are named by it, and
    the field where others have the same error: the same words twice would not tell which is which."""
    problems: list[dict[str, str]] = []
    colon = _(": ")
    for one in forms:
        if one is None or not one.is_bound:
            continue
        rows = enumerate(one.forms, start=1) if isinstance(one, BaseFormSet) else [(0, one)]
        for number, form in rows:
            row = one.row_label % {"number": number} + colon if number else ""
            problems += [{"text": f"{row}{text}", "target": ""} for text in form.non_field_errors()]
            for field in form:
                target = "" if field.is_hidden else first_id(field)
                named = f"{row}{field.label}{colon}"
                problems += [
                    {"text": f"{row}{text}", "named": f"{named}{text}", "target": target} for text in field.errors
                ]
    said = Counter(problem["text"] for problem in problems)
    for problem in problems:
        if said[problem["text"]] > 1:
            problem["text"] = problem.get("named", problem["text"])
    return {"problems": problems}

"""Look-ups in the catalogue of a region."""

import datetime
import unicodedata
from collections.abc import Iterable

from django.contrib.postgres.fields import ArrayField
from django.db.models import (
    Case,
    DecimalField,
    ExpressionWrapper,
    F,
    Func,
    Q,
    QuerySet,
    TextField,
    Value,
    When,
)
from django.db.models.functions import Abs

from accounts.enums import Role
from accounts.models import User
from accounts.policies import has_any_role, regions_with_role
from accounts.queries import valid_on
from settlements.enums import CatalogueChange
from settlements.models import CatalogueFile, CatalogueItem, CatalogueRow


def catalogue_items(*, region_id: str, codes: Iterable[str], on: datetime.date) -> dict[str, CatalogueItem]:
    """Code -> the item as it holds on a day; a code that is missing is off-catalogue."""
    items = CatalogueItem.objects.filter(valid_on(on), region_id=region_id, code__in=set(codes))
    return {item.code: item for item in items}


def search(*, region_id: str, text: str, on: datetime.date) -> QuerySet[CatalogueItem]:
    """The items of a region on a day whose code begins with a text or whose name holds it; every item for no text."""
    items = CatalogueItem.objects.filter(valid_on(on), region_id=region_id).order_by("code")
    text = unicodedata.normalize("NFKC", text).strip()
    if not text:
        return items
    named = Q(grams__contains=grams(region_id, text), name__icontains=text)
    return items.alias(grams=GRAMS).filter(Q(code__startswith=text.upper()) | named)


GRAMS = Func(F("region"), F("name"), function="catalogue_grams", output_field=ArrayField(TextField()))


def grams(region_id: str, text: str) -> list[str]:
    """The pairs of characters of a text (itself, if it is one) as the index holds them: `catalogue_grams` in SQL."""
    lower = text.lower()
    pairs = {lower[at : at + 2] for at in range(len(lower) - 1)} or {lower}
    return sorted(f"{region_id} {pair}" for pair in pairs)


def files_visible_to(user: User) -> QuerySet[CatalogueFile]:
    """Catalogue files of the regions that the user administers; an auditor reads all."""
    files = CatalogueFile.objects.select_related("region", "uploaded_by", "released_by").defer("content")
    if has_any_role(user, Role.AUDITOR):
        return files
    return files.filter(region__in=regions_with_role(user, Role.REGION_ADMIN))


def biggest_changes(file: CatalogueFile, most: int = 20) -> QuerySet[CatalogueRow]:
    """The rows of a file that change most of what is paid up front; nothing is in class A, all of it in class C."""
    percents = [
        Case(
            When(**{name: "A"}, then=Value(0)),
            When(**{name: "C"}, then=Value(100)),
            default=F(percent),
            output_field=DecimalField(),
        )
        for name, percent in (("item_class", "self_pay_percent"), ("class_before", "percent_before"))
    ]
    changed = file.rows.filter(change=CatalogueChange.CHANGED)
    moved = Abs(ExpressionWrapper(percents[0] - percents[1], output_field=DecimalField()))
    return changed.annotate(moved=moved).order_by("-moved", "line")[:most]

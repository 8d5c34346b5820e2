"""Look-ups in the catalogue of a region."""

import datetime
from collections.abc import Iterable

from django.db.models import Q

from settlements.models import CatalogueItem


def catalogue_items(*, region_id: str, codes: Iterable[str], on: datetime.date) -> dict[str, CatalogueItem]:
    """Code -> the item as it holds on a day; a code that is missing is off-catalogue."""
    held = Q(valid_to=None) | Q(valid_to__gt=on)
    items = CatalogueItem.objects.filter(held, region_id=region_id, code__in=set(codes), valid_from__lte=on)
    # Of two versions that both hold the later one decides.
    return {item.code: item for item in items.order_by("valid_from")}

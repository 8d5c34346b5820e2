"""What the catalogue says of fee lines."""

import datetime
from collections import defaultdict
from collections.abc import Collection

from django.db.models import Q

from settlements.models import CatalogueItem


def items_by_day(
    *, region_id: str, wanted: Collection[tuple[str, datetime.date]]
) -> dict[tuple[str, datetime.date], CatalogueItem]:
    """(code, day) -> the item as it holds on that day, in one query however many days a stay has; a code that
    is missing on its day is off-catalogue."""
    if not wanted:
        return {}
    days = [day for _, day in wanted]
    held = Q(valid_to=None) | Q(valid_to__gt=min(days))
    codes = {code for code, _ in wanted}
    items = CatalogueItem.objects.filter(held, region_id=region_id, code__in=codes, valid_from__lte=max(days))
    versions: dict[str, list[CatalogueItem]] = defaultdict(list)
    for item in items.order_by("valid_from"):
        versions[item.code].append(item)
    return {
        (code, day): item
        for code, day in wanted
        for item in versions[code]
        if item.valid_from <= day and (item.valid_to is None or day < item.valid_to)
    }

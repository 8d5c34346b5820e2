"""Division codes: which pooling region a place belongs to."""

from collections.abc import Iterable


def covering(place: str, regions: Iterable[str]) -> str | None:
    """The region that a place lies in, the narrowest one if several do; None if none does.

    310000 holds 310101 (a municipality or a province pools as one), 330100 holds 330106; codes of six digits.
    """
    around = [region for region in regions if place.startswith(_stem(region))]
    return max(around, key=lambda region: len(_stem(region)), default=None)


def _stem(region: str) -> str:
    while region.endswith("00"):
        region = region[:-2]
    return region

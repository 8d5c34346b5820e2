"""Only in the demo: the keys of the test institutions, with their secrets, for whoever wants to call the interface."""

from typing import Any

from accounts.clock import now
from gateway.models import InstitutionKey


def valid() -> list[InstitutionKey]:
    """The keys that may sign now, with institution and region; those that a person issued are nobody's to show."""
    at = now()
    known = InstitutionKey.objects.filter(issued_by=None).select_related("institution__region")
    return [key for key in known.order_by("institution__region", "institution__code", "pk") if key.is_valid(at)]


def rows() -> list[dict[str, Any]]:
    """What stands on the demo page, an institution's key a row."""
    return [
        {
            "what": f"{key.institution.name} {key.institution.code}",
            "values": [key.key_id, key.secret],
            "note": f"{key.institution.region} · {key.get_variant_display()}",
        }
        for key in valid()
    ]

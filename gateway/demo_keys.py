"""Only in the demo: the keys of the test institutions, with their secrets, for whoever wants to call the interface."""

from typing import Any

from accounts.clock import now
from gateway.models import InstitutionKey


def rows() -> list[dict[str, Any]]:
    """What stands on the demo page, an institution's key a row; keys that a person issued are not shown."""
    at = now()
    known = InstitutionKey.objects.filter(issued_by=None).select_related("institution__region")
    return [
        {
            "what": f"{key.institution.name} {key.institution.code}",
            "values": [key.key_id, key.secret],
            "note": f"{key.institution.region} · {key.get_variant_display()}",
        }
        for key in known.order_by("institution__region", "institution__code", "pk")
        if key.is_valid(at)
    ]

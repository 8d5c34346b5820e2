"""Keys of test institutions: in every region a hospital and a pharmacy, and one hospital that may sign in every way.

Their secrets stand on the demo page, so these keys exist nowhere else.
"""

import datetime

from accounts.enums import InstitutionKind
from accounts.models import Institution
from gateway.actions import keys
from gateway.enums import Variant
from portal.seeding.institutions import PLACES

EVERY_WAY = "H31010100001"


def make(at: datetime.datetime | None = None) -> None:
    """A key for each test institution that has none, valid from a moment (now); a second time does nothing."""
    for places in PLACES.values():
        for kind in InstitutionKind.values:
            code = next(code for code, _name, its_kind, _level in places if its_kind == kind)
            institution = Institution.objects.filter(code=code).first()
            if institution is None:
                continue
            known = set(institution.gateway_keys.values_list("variant", flat=True))
            wanted = Variant.values if code == EVERY_WAY else [Variant.X_TIF]
            for variant in wanted:
                if variant not in known:
                    keys.issue(institution=institution, by=None, at=at, variant=variant)

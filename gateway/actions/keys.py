"""Keys of institutions: issue, retire."""

import datetime
import secrets

from django.db import transaction

from accounts.actions import audit
from accounts.clock import now
from accounts.errors import Refused
from accounts.models import Institution, User
from gateway.enums import Variant
from gateway.models import InstitutionKey


@transaction.atomic
def issue(
    *,
    institution: Institution,
    by: User | None,
    at: datetime.datetime | None = None,
    valid_until: datetime.datetime | None = None,
    variant: str = Variant.X_TIF,
) -> tuple[InstitutionKey, str]:
    """A new key beside those that are valid, and its secret: the only time that anybody sees it.

    `by` is None on the command line.
    """
    at = at or now()
    secret = secrets.token_hex(32)
    key = InstitutionKey.objects.create(
        institution=institution,
        key_id=f"{institution.code[:27]}-{secrets.token_hex(6)}",
        secret=secret,
        variant=variant,
        valid_from=at,
        valid_until=valid_until,
        issued_by=by,
    )
    audit.record(action="key_issued", by=by, at=at, target=f"key:{key.key_id}")
    return key, secret


@transaction.atomic
def retire(*, key: InstitutionKey, by: User | None, at: datetime.datetime | None = None) -> None:
    """From now on the key signs nothing. Raises Refused("key_expired") when it is already over."""
    at = at or now()
    key = InstitutionKey.objects.select_for_update(no_key=True).get(pk=key.pk)
    if key.valid_until is not None and key.valid_until <= at:
        raise Refused("key_expired")
    key.valid_until = max(at, key.valid_from)
    key.save(update_fields=["valid_until"])
    audit.record(action="key_retired", by=by, at=at, target=f"key:{key.key_id}")

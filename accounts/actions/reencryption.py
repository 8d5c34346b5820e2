"""Writing values that an older key encrypted anew with the newest, so that the older one can be given up."""

import datetime
from collections.abc import Iterator

from allauth.mfa.adapter import get_adapter
from allauth.mfa.models import Authenticator
from django.apps import apps
from django.conf import settings
from django.db import connection, transaction

from accounts.actions import audit
from accounts.fields import EncryptedTextField

# Rows a transaction: whoever wants one of them waits that long at most.
BATCH = 200
OLD = """
SELECT {key}, {column} FROM {table} WHERE {key} > %s AND get_byte({column}, 1) <> %s ORDER BY {key} LIMIT %s
"""
# Whoever changed the value meanwhile has used the newest key already.
RENEW = "UPDATE {table} SET {column} = %s WHERE {key} = %s AND {column} = %s"


def encrypted_fields() -> Iterator[EncryptedTextField]:
    """Every encrypted column of the portal."""
    for model in apps.get_models():
        yield from (field for field in model._meta.concrete_fields if isinstance(field, EncryptedTextField))


def reencrypt(*, at: datetime.datetime) -> dict[str, int]:
    """Encrypt with the newest key whatever an older one holds: table.column -> values. Twice does nothing twice.

    It can be stopped and begun again at any time. Sessions and uploaded files are not touched: they are gone in a day.
    """
    done = {field.context: _column(field) for field in encrypted_fields()}
    done["mfa_authenticator.data"] = _second_factors()
    with transaction.atomic():
        audit.record(action="reencrypted", by=None, at=at, details={"values": sum(done.values())})
    return done


def _column(field: EncryptedTextField) -> int:
    names = {"table": field.model._meta.db_table, "key": field.model._meta.pk.column, "column": field.column}
    newest, after, count = max(settings.PII_KEYS), 0, 0
    while True:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(OLD.format(**names), [after, newest, BATCH])
            rows = cursor.fetchall()
            if not rows:
                return count
            cursor.executemany(
                RENEW.format(**names),
                [
                    (field.get_db_prep_value(field.from_db_value(old, None, None), connection), key, old)
                    for key, old in rows
                ],
            )
        after, count = rows[-1][0], count + len(rows)


@transaction.atomic
def _second_factors() -> int:
    """Secrets of apps and seeds of recovery codes; there are as many as staff."""
    adapter, count = get_adapter(), 0
    for authenticator in Authenticator.objects.select_for_update():
        for name in ("secret", "seed"):
            held = authenticator.data.get(name)
            if held and bytes.fromhex(held)[1] != max(settings.PII_KEYS):
                authenticator.data[name] = adapter.encrypt(adapter.decrypt(held))
                count += 1
        authenticator.save(update_fields=["data"])
    return count

from typing import Any

from django.db import migrations

from accounts.crypto import blind_index

CHUNK = 5000


def add_the_key(apps: Any, schema_editor: Any) -> None:
    """What was a plain hash of an input is now keyed: a call that is sent again after the update is still known."""
    last = 0
    with schema_editor.connection.cursor() as cursor:
        while True:
            cursor.execute(
                "SELECT id, request_hash FROM gateway_gatewaymessage WHERE id > %s AND request_hash <> '' ORDER BY id LIMIT %s",
                [last, CHUNK],
            )
            rows = cursor.fetchall()
            if not rows:
                return
            last = rows[-1][0]
            cursor.execute(
                "UPDATE gateway_gatewaymessage m SET request_hash = k.keyed"
                " FROM unnest(%s::bigint[], %s::text[]) k (id, keyed) WHERE m.id = k.id",
                [[number for number, _ in rows], [blind_index(plain) for _, plain in rows]],
            )


class Migration(migrations.Migration):
    """Not to be taken back: the plain hashes are gone."""

    dependencies = [("gateway", "0013_output_where_there_is_none")]
    operations = [migrations.RunPython(add_the_key)]

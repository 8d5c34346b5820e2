import json
from collections.abc import Iterable
from typing import Any

from django.db import migrations, transaction

from accounts.crypto import blind_index, encrypt

CHUNK = 2000
ILLNESS = ("main_cond_dscr", "dise_codg", "dise_name")
DIAGNOSIS = ("diag_code", "diag_name", "adm_cond", "diag_dept", "dise_dor_no", "dise_dor_name")
VISITS = """
SELECT id, condition, disease_code, disease_name FROM gateway_visit
WHERE id > %s AND illness IS NULL AND (condition <> '' OR disease_code <> '' OR disease_name <> '')
ORDER BY id LIMIT %s FOR NO KEY UPDATE
"""
DIAGNOSES = """
SELECT id, visit_id, code, name, on_admission, department, doctor_code, doctor_name FROM gateway_diagnosis
WHERE id > %s AND said IS NULL ORDER BY id LIMIT %s FOR NO KEY UPDATE
"""
FILL_VISITS = """
UPDATE gateway_visit v SET illness = k.illness
FROM unnest(%s::bigint[], %s::bytea[]) k (id, illness) WHERE v.id = k.id
"""
FILL_DIAGNOSES = """
UPDATE gateway_diagnosis d SET code_index = k.code_index, said = k.said
FROM unnest(%s::bigint[], %s::text[], %s::bytea[]) k (id, code_index, said) WHERE d.id = k.id
"""


def encrypt_diagnoses(apps: Any, schema_editor: Any) -> None:
    """A transaction for each chunk; begun again it goes on where it stopped."""
    for step in (_visits, _diagnoses):
        last: int | None = 0
        while last is not None:
            with transaction.atomic(), schema_editor.connection.cursor() as cursor:
                last = step(cursor, last)


def _visits(cursor: Any, last: int) -> int | None:
    cursor.execute(VISITS, [last, CHUNK])
    rows = cursor.fetchall()
    said = [_sealed(ILLNESS, row[1:], "gateway_visit.illness") for row in rows]
    cursor.execute(FILL_VISITS, [[row[0] for row in rows], said])
    return rows[-1][0] if rows else None


def _diagnoses(cursor: Any, last: int) -> int | None:
    cursor.execute(DIAGNOSES, [last, CHUNK])
    rows = cursor.fetchall()
    indexes = [blind_index(f"{row[1]} {row[2]}") for row in rows]
    said = [_sealed(DIAGNOSIS, row[2:], "gateway_diagnosis.said") for row in rows]
    cursor.execute(FILL_DIAGNOSES, [[row[0] for row in rows], indexes, said])
    return rows[-1][0] if rows else None


def _sealed(names: Iterable[str], texts: Iterable[str], context: str) -> bytes:
    said = {name: text for name, text in zip(names, texts, strict=True) if text}
    return encrypt(json.dumps(said, ensure_ascii=False, separators=(",", ":")), context)


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("gateway", "0015_illness_columns")]
    operations = [migrations.RunPython(encrypt_diagnoses)]

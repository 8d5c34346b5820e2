"""What is wrong with an output, by its tables: so that no test sees an answer that the documentation does not promise."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from gateway import fields
from gateway.fields.tables import code_lists, open_lists

KINDS = {"num": Decimal, "string": str, "datetime": str, "date": str}


def faults(number: str, output: Any) -> list[str]:
    """Empty if the output (numbers as Decimal) is what the tables of the transaction say."""
    nodes = fields.tables(number).output
    if len(nodes) == 1 and nodes[0].bare:
        output = {nodes[0].name: output}
    if not nodes:
        return [] if not output else [f"{number} has no output, but got {output}"]
    names = {name for node in nodes for name in (node.name, *node.also)}
    found = [f"{number}: node {name}" for name in {*output} ^ names]
    for node in nodes:
        rows = output.get(node.name, [])
        if isinstance(rows, list) != node.many:
            found.append(f"{number}.{node.name} is {'no ' * node.many}list")
            continue
        for row in rows if node.many else [rows]:
            found += (f"{number}.{node.name}.{fault}" for fault in _row_faults(node, row))
    return found


def _row_faults(node: fields.Node, row: dict[str, Any]) -> Iterator[str]:
    known = {name for field in node.fields for name in (field.name, *field.also)}
    yield from (f"{name} is in no table" for name in set(row) - known)
    for field in node.fields:
        if field.name not in row:
            yield f"{field.name} is not there"
            continue
        value = row[field.name]
        yield from (f"{other} differs" for other in field.also if other in row and row[other] != value)
        if value is None:
            if field.required:
                yield f"{field.name} is required"
        elif not isinstance(value, KINDS[field.kind]) and not (field.places == 0 and isinstance(value, int)):
            yield f"{field.name} is {value!r}, wanted {field.kind}"
        elif field.kind == "string" and len(value) > field.size:
            yield f"{field.name} is longer than {field.size}"
        elif value not in code_lists().get(field.dictionary, [value]) and field.dictionary not in open_lists():
            yield f"{field.name}: {value} is not in its list"

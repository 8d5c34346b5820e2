"""Values never stand in SQL (W5): whoever writes a statement together from what is not written out beside it comes here."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
APPS = ["accounts", "casework", "counter", "documents", "family", "gateway", "portal", "settlements"]
SQL = re.compile(r"\b(SELECT|INSERT INTO|UPDATE|DELETE FROM|TRUNCATE|DROP|CREATE|ALTER|COPY|FROM|WHERE)\b")
# What stands in a statement without being a constant, and what it is. Never what somebody sent.
LOOKED_AT = {
    ("accounts/actions/reencryption.py", "names"): "table and columns of our models",
    ("accounts/calls.py", "condition.sql"): "a call of a function, as its caller has written it out",
    ("accounts/calls.py", "then"): "calls of functions, as their callers have written them out",
    ("gateway/queries/people.py", "index"): "one of three columns, chosen by the kind of credential",
    ("portal/seeding/scale.py", "target"): "a table and its columns, for the demo",
    ("settlements/actions/trials.py", "measure"): "paid or cash",
    ("settlements/ledger/balances.py", "marks"): "names of parameters",
    ("settlements/ledger/checks/accounts.py", "key"): "a column of our models",
    ("settlements/ledger/checks/accounts.py", "named"): "a table of our models",
    ("settlements/ledger/checks/accounts.py", "table"): "a table of our models",
    ("settlements/queries/parameters.py", "table"): "one of two tables",
    ("settlements/queries/uploads.py", "file._meta.db_table"): "a table of our models",
    ("settlements/queries/usage.py", "', '.join(['%s'] * len(wanted))"): "as many marks of parameters as there are",
}
# Words that SQL has too, in a script for curl.
NO_SQL = {"portal/till/telling.py"}


def filled_in(node: ast.AST) -> list[ast.expr]:
    """What is put into a statement: of an f-string with words of SQL, of NAME.format(…) and NAME % …, of raw SQL."""
    if isinstance(node, ast.JoinedStr):
        text = "".join(str(part.value) for part in node.values if isinstance(part, ast.Constant))
        return [part.value for part in node.values if isinstance(part, ast.FormattedValue)] if SQL.search(text) else []
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mod) and is_constant(node.left):
        return [node.right]
    if not isinstance(node, ast.Call):
        return []
    name = getattr(node.func, "attr", getattr(node.func, "id", ""))
    if name in ("RawSQL", "raw", "extra"):
        return [node]
    of_constant = name == "format" and isinstance(node.func, ast.Attribute) and is_constant(node.func.value)
    return [*node.args, *(keyword.value for keyword in node.keywords)] if of_constant else []


def is_constant(node: ast.expr) -> bool:
    return isinstance(node, ast.Name) and node.id.isupper()


def is_loose(value: ast.expr) -> bool:
    """Whether there is a name in it that is neither a constant nor its own."""
    own = {
        name.id
        for part in ast.walk(value)
        if isinstance(part, ast.comprehension)
        for name in ast.walk(part.target)
        if isinstance(name, ast.Name)
    }
    # RunState.RUNNING is a constant too.
    own |= {
        part.value.id
        for part in ast.walk(value)
        if isinstance(part, ast.Attribute) and part.attr.isupper() and isinstance(part.value, ast.Name)
        if part.value.id[0].isupper()
    }
    return any(isinstance(part, ast.Name) and not part.id.isupper() and part.id not in own for part in ast.walk(value))


def loose_in(source: str) -> set[str]:
    """What is put into the statements of a module."""
    values = [value for node in ast.walk(ast.parse(source)) for value in filled_in(node)]
    return {ast.unparse(value) for value in values if is_loose(value)}


def test_a_statement_is_written_together_only_where_it_was_looked_at() -> None:
    found = {
        (str(path.relative_to(ROOT)), value)
        for app in APPS
        for path in (ROOT / app).rglob("*.py")
        if "migrations" not in path.parts and str(path.relative_to(ROOT)) not in NO_SQL
        for value in loose_in(path.read_text())
    }
    assert found == set(LOOKED_AT)


@pytest.mark.parametrize(
    "line",
    [
        "cursor.execute(f\"SELECT * FROM t WHERE name = '{name}'\")",
        "cursor.execute(QUERY.format(name=request.GET['name']))",
        "cursor.execute(QUERY % name)",
        "rows.extra(where=[name])",
        "rows.annotate(x=RawSQL(text, []))",
        "Member.objects.raw(text)",
    ],
)
def test_these_eyes_see(line: str) -> None:
    assert loose_in(line)


def test_and_see_no_ghosts() -> None:
    fine = "cursor.execute(f'SELECT {NAMES} FROM t', [name])", "READ.format(FIELDS)", "f'{name}: {count}'", "QUERY % 5"
    assert [line for line in fine if loose_in(line)] == []

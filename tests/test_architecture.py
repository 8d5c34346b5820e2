"""The arrows of the house, read from the imports: between apps, and between the layers inside an app."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
APPS = ["portal", "counter", "gateway", "settlements", "family", "casework", "documents", "accounts"]

# app -> the apps it may import: everything below it in the house.
BELOW = {
    "accounts": set(),
    "casework": {"accounts"},
    "documents": {"accounts"},
    "family": {"casework", "documents", "accounts"},
    "settlements": {"family", "casework", "documents", "accounts"},
    "counter": {"settlements", "family", "casework", "documents", "accounts"},
    "gateway": {"settlements", "family", "casework", "documents", "accounts"},
    "portal": {"counter", "gateway", "settlements", "family", "casework", "documents", "accounts"},
}

# Lower number = lower layer; a module imports only its own layer or lower ones.
LAYERS = {
    "domain": 0,
    "enums": 0,
    "errors": 0,
    "models": 1,
    "ledger": 2,
    "queries": 2,
    "policies": 2,
    "actions": 3,
    "forms": 4,
    "views": 5,
    "urls": 6,
}


def modules(*apps: str) -> Iterator[Path]:
    for app in apps:
        yield from (path for path in (ROOT / app).rglob("*.py") if "migrations" not in path.parts)


def imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0 or path.parent.name in ("services",), f"relative import in {path.relative_to(ROOT)}"
            if node.level == 0:
                yield from (f"{node.module}.{alias.name}" for alias in node.names)


def layer_of(dotted: str) -> tuple[str, int] | None:
    """(app, layer) of a dotted name of the house, None for a module outside the layers (admin, tasks, apps …)."""
    parts = dotted.split(".")
    if parts[0] not in APPS or len(parts) < 2:
        return None
    for prefix, layer in LAYERS.items():
        if parts[1] == prefix or parts[1].startswith(f"{prefix}_"):
            return parts[0], layer
    return None


@pytest.mark.parametrize("app", APPS)
def test_an_app_imports_only_what_lies_below_it(app: str) -> None:
    wrong = [
        f"{path.relative_to(ROOT)} imports {name}"
        for path in modules(app)
        for name in imports(path)
        if (first := name.split(".")[0]) in APPS and first != app and first not in BELOW[app]
    ]
    assert wrong == []


@pytest.mark.parametrize("app", APPS)
def test_inside_an_app_the_layers_point_down(app: str) -> None:
    wrong = []
    for path in modules(app):
        here = layer_of(".".join(path.relative_to(ROOT).with_suffix("").parts))
        if here is None:
            continue
        for name in imports(path):
            there = layer_of(name)
            if there and there[0] == app and there[1] > here[1]:
                wrong.append(f"{path.relative_to(ROOT)} imports {name}")
    assert wrong == []


def test_domain_is_standard_library_only() -> None:
    import sys

    allowed = sys.stdlib_module_names
    wrong = [
        f"{path.relative_to(ROOT)} imports {name}"
        for app in APPS
        for path in (ROOT / app / "domain").rglob("*.py")
        for name in imports(path)
        if (first := name.split(".")[0]) not in allowed
        and not (first in APPS and (name.split(".")[1] == "domain" or name.startswith("accounts.money")))
    ]
    assert wrong == []


def test_domain_reads_no_clock() -> None:
    clock = re.compile(r"\b(datetime\.)?(date\.today|datetime\.now|datetime\.utcnow)\(|\btime\.time\(")
    wrong = [
        str(path.relative_to(ROOT))
        for app in APPS
        for path in (ROOT / app / "domain").rglob("*.py")
        if clock.search(path.read_text(encoding="utf-8"))
    ]
    assert wrong == []


def test_templates_link_only_downward() -> None:
    """`{% url 'app:…' %}` and `{% include 'app/…' %}` follow the same arrows."""
    link = re.compile(r"""\{%\s*(?:url|include|extends)\s+["']([a-z_]+)[:/]""")
    wrong = []
    for app in APPS:
        for path in (ROOT / "templates" / app).rglob("*.html"):
            for other in link.findall(path.read_text(encoding="utf-8")):
                if other in APPS and other != app and other not in BELOW[app]:
                    wrong.append(f"{path.relative_to(ROOT)} points to {other}")
    assert wrong == []


def test_no_room_without_a_name() -> None:
    nameless = {"common", "utils", "helpers", "misc", "core", "lib"}
    found = [str(path.relative_to(ROOT)) for app in APPS for path in modules(app) if nameless & set(path.parts)]
    assert found == []


def test_money_never_meets_a_float() -> None:
    """No float literal or float() in the rooms where money is decided and written."""
    wrong = []
    for path in [*modules("settlements"), ROOT / "accounts" / "money.py"]:
        if path.parts[-2] not in ("domain", "ledger", "actions") and path.name != "money.py":
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            literal = isinstance(node, ast.Constant) and isinstance(node.value, float)
            call = isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "float"
            if literal or call:
                wrong.append(f"{path.relative_to(ROOT)}:{node.lineno}")
    assert wrong == []

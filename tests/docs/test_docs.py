"""What is written down and can be wrong is compared with what is there."""

import ast
import json
import re
import subprocess
from pathlib import Path

import pytest
from django.core.management import get_commands
from django.utils import translation

from gateway.signatures import VARIANTS
from portal.celery import app
from portal.demo import logins

ROOT = Path(__file__).resolve().parents[2]
OPERATIONS = ROOT / "docs" / "operations.md"
READMES = [ROOT / "README.md", ROOT / "README.zh-CN.md"]
PICTURE_LIMIT = 150_000
# Put together here, so that this file does not hold what it forbids.
MACHINE_PATHS = [f"/{folder}/" for folder in ("work", "root", "home", "opt" + "/pypi")]
REGISTRIES = [f"{name}.{end}" for name, end in (("pypi", "org"), ("pythonhosted", "org"), ("npmjs", "org"))]
REGISTRIES += ["npmjs" + ".com", "npmmirror" + ".com", "tsinghua" + ".edu.cn"]
UNFINISHED = ["TO" + "DO", "FIX" + "ME", "XX" + "X", "HA" + "CK", "WI" + "P"]


def tracked() -> list[Path]:
    """The files of the project that are kept, or would be by the next commit; without git, all that are not built."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    asked = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    names = asked.stdout.split("\0") if asked.returncode == 0 else []
    files = [ROOT / name for name in names if name] or built_by_nobody()
    return [file for file in files if file.is_file()]


def built_by_nobody() -> list[Path]:
    built = {".venv", "var", "node_modules", "build", "__pycache__", ".git"}
    return [path for path in ROOT.rglob("*") if not built & set(path.relative_to(ROOT).parts)]


def texts() -> list[tuple[Path, str]]:
    found = []
    for file in tracked():
        try:
            found.append((file, file.read_text()))
        except UnicodeDecodeError:
            continue
    return found


def pages() -> list[Path]:
    return [file for file in tracked() if file.suffix == ".md"]


def shell_blocks(text: str) -> str:
    return "\n".join(re.findall(r"```sh\n(.*?)```", text, re.S))


def table_under(text: str, heading: str) -> list[list[str]]:
    """The rows of the first table below a heading, head and rule left out."""
    after = text.split(heading, 1)[1]
    lines = re.search(r"(?:^\|.*\n)+", after, re.M)
    assert lines, f"no table below {heading}"
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines.group().splitlines()[2:]]


def anchors(page: Path) -> set[str]:
    heads = re.findall(r"^#+ (.+)$", page.read_text(), re.M)
    return {re.sub(r"[^\w -]", "", head.lower()).replace(" ", "-") for head in heads}


def test_every_link_leads_somewhere():
    broken = []
    for page in pages():
        text = re.sub(r"```.*?```", "", page.read_text(), flags=re.S)
        for target in re.findall(r'\]\(([^)\s]+)\)|src="([^"]+)"', text):
            target = "".join(target)
            if re.match(r"[a-z]+:", target):
                continue
            path, _, anchor = target.partition("#")
            there = (page.parent / path).resolve() if path else page
            if not there.exists() or (anchor and anchor not in anchors(there)):
                broken.append(f"{page.relative_to(ROOT)}: {target}")
    assert broken == []


def code_of(page: Path) -> str:
    """The commands of a page, without comments: prose such as "does not make sense" names no target."""
    text = page.read_text()
    code = shell_blocks(text) + "\n" + "\n".join(re.findall(r"`([^`\n]+)`", text))
    return re.sub(r"#.*", "", code)


def test_every_named_make_target_exists():
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.M))
    named = {(page.name, words) for page in pages() for words in re.findall(r"\bmake ((?:[a-z]+\b ?)+)", code_of(page))}
    assert len(named) > 5
    assert [one for one in named if not set(one[1].split()) <= targets] == []


def test_every_named_management_command_exists():
    named = {(page.name, name) for page in pages() for name in re.findall(r"manage\.py ([a-z_]+)", page.read_text())}
    assert len(named) > 5
    assert [one for one in named if one[1] not in get_commands()] == []


def production_reads() -> tuple[set[str], set[str]]:
    """The environment variables that the production settings must have, and those they may have."""
    tree = ast.parse((ROOT / "portal" / "settings" / "production.py").read_text())
    must, may = set(), set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
            name = ast.unparse(node.func)
            if name == "required":
                must.add(node.args[0].value)
            elif name in ("os.environ.get", "os.getenv"):
                may.add(node.args[0].value)
    return must, may


def test_the_table_of_production_settings_is_what_the_settings_read():
    rows = table_under(OPERATIONS.read_text(), "### Settings")
    told = {row[0].strip("`"): row[1] for row in rows}
    must, may = production_reads()
    assert told.pop("DJANGO_SETTINGS_MODULE") == "must"
    assert told == dict.fromkeys(must, "must") | dict.fromkeys(may, "may")


def test_the_example_environment_has_what_must_be_there():
    example = (ROOT / ".ci" / "production.env").read_text()
    assert set(re.findall(r"^([A-Z_]+)=", example, re.M)) >= production_reads()[0]


@pytest.mark.parametrize("name", ["DATABASE_URL", "REDIS_URL", "PORT", "HOST", "CHROME_PATH"])
def test_a_variable_told_outside_production_is_read(name):
    told = any(f"`{name}`" in page.read_text() for page in [OPERATIONS, *READMES])
    read = any(f'"{name}"' in file.read_text() for file in tracked() if file.suffix == ".py" and file != Path(__file__))
    assert told and read


def test_no_other_variable_is_told():
    known = set().union(*production_reads()) | {"DJANGO_SETTINGS_MODULE", "PORT", "HOST", "CHROME_PATH"}
    told = set()
    for page in [OPERATIONS, *READMES]:
        told |= set(re.findall(r"`([A-Z][A-Z_]{2,})(?:=[^`]*)?`", page.read_text()))
    # Not variables: levels of lines in the log.
    assert told - known - {"ERROR", "WARNING"} == set()


def test_the_bells_of_the_beat_are_told():
    rows = table_under(OPERATIONS.read_text(), "The beat rings for:")
    assert {row[0].strip("`") for row in rows} == set(app.conf.beat_schedule)


@pytest.mark.parametrize("readme, language", [*zip(READMES, ["en", "zh-hans"], strict=True)], ids=["en", "zh"])
def test_the_readmes_tell_the_logins_of_the_demo(readme, language):
    heading = {"en": "## Logins of the demo", "zh-hans": "## 演示登录"}[language]
    told = [tuple(cell.strip("`") for cell in row[:3]) for row in table_under(readme.read_text(), heading)]
    with translation.override(language):
        assert told == [(role, login, password) for role, login, password, _note in logins()]


def test_both_readmes_name_the_same_commands_pictures_and_pages():
    english, chinese = (readme.read_text() for readme in READMES)

    def commands(text):
        return [line.split("#")[0].strip() for line in shell_blocks(text).splitlines() if line.split("#")[0].strip()]

    def targets(text):
        return re.findall(r"\b(?:docs/[\w./-]+|CHANGELOG\.md)", text)

    assert commands(english) == commands(chinese) != []
    assert sorted(targets(english)) == sorted(targets(chinese)) != []


def test_pictures_are_small_and_shown():
    folder = ROOT / "docs" / "screenshots"
    pictures = sorted(file for file in folder.iterdir() if file.suffix in (".png", ".webp"))
    assert len(pictures) == 12
    assert [file.name for file in pictures if file.stat().st_size >= PICTURE_LIMIT] == []
    shown = READMES[0].read_text()
    assert [file.name for file in pictures if f"docs/screenshots/{file.name}" not in shown] == []


def test_decisions_are_numbered_without_gaps():
    numbers = sorted(int(file.name[:4]) for file in (ROOT / "docs" / "decisions").glob("*.md"))
    assert numbers == list(range(1, len(numbers) + 1))
    for file in (ROOT / "docs" / "decisions").glob("*.md"):
        assert file.read_text().startswith(f"# {file.name[:4]} "), file.name


@pytest.mark.parametrize("words", [MACHINE_PATHS, REGISTRIES], ids=["machine path", "registry"])
def test_no_file_names_a_machine_or_a_registry(words):
    pattern = re.compile(r"(?<![\w.~<>)}\]/-])(?:" + "|".join(map(re.escape, words)) + ")")
    found = [str(file.relative_to(ROOT)) for file, text in texts() if pattern.search(text)]
    assert found == []


def test_nothing_is_left_unfinished():
    pattern = re.compile(r"\b(?:" + "|".join(UNFINISHED) + r")\b")
    found = [str(file.relative_to(ROOT)) for file, text in texts() if pattern.search(text)]
    assert found == []


def test_the_assets_have_no_registry_of_their_own():
    lock = json.loads((ROOT / "package-lock.json").read_text())
    assert [name for name, package in lock["packages"].items() if "resolved" in package] == []


def test_nginx_lets_every_header_with_an_underscore_through() -> None:
    """nginx drops such names unless told otherwise, and gunicorn behind it drops them always: each gets another."""
    recipe = OPERATIONS.read_text().partition("```nginx")[2].partition("```")[0]
    calls = recipe.partition("location /fsi/api/ {")[2].partition("}")[0]
    names = [name for scheme in VARIANTS.values() for name in scheme.headers if "_" in name]
    assert names
    assert "underscores_in_headers on;" in recipe
    lines = [" ".join(row.split()) for row in calls.splitlines()]
    for name in names:
        # Under which gateway.signatures looks for it, too.
        assert f"proxy_set_header x-{name[1:].replace('_', '-')} $http_{name};" in lines
    # A location with headers of its own inherits none of the server's.
    inherited = [row for row in recipe.partition("location")[0].splitlines() if "proxy_set_header" in row]
    assert {" ".join(row.split()) for row in inherited} <= set(lines)

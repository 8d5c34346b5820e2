"""On which line of a TOML text a key stands: tomllib checks the text but forgets the lines."""

import re
from collections.abc import Iterator

from accounts.domain.reading import Path

_HEADER = re.compile(r"\s*(\[\[?)\s*([\w.\-]+)\s*\]\]?\s*$")
_KEY = re.compile(r"\s*([\w-]+)\s*=")
# Brackets within texts and comments do not count.
_TEXTS_AND_COMMENTS = re.compile(r'"(?:[^"\\]|\\.)*"|\'[^\']*\'|#.*')


def line_of(text: str, path: Path) -> int | None:
    """The line (from 1) of a path of keys and positions, or of the nearest thing around it; None if there is none."""
    best, best_length = None, 0
    for line, found in _places(text):
        length = len(found)
        if length > best_length and found == path[:length]:
            best, best_length = line, length
    return best


def _places(text: str) -> Iterator[tuple[int, Path]]:
    """Each line that begins something, with its path: a [table], a [[row of tables]], a key, a row of a list."""
    table: Path = ()
    counts: dict[Path, int] = {}
    key: Path = ()
    depth = row = 0
    for number, line in enumerate(text.splitlines(), start=1):
        bare = _TEXTS_AND_COMMENTS.sub("", line)
        if depth:
            if depth == 1 and bare.lstrip().startswith(("{", "[")):
                yield number, (*key, row)
                row += 1
        elif header := _HEADER.match(bare):
            table = _table_path(header[2].split("."), header[1] == "[[", counts)
            yield number, table
        elif found := _KEY.match(line):
            key, row = (*table, found[1]), 0
            yield number, key
        depth += sum(bare.count(opening) for opening in "[{") - sum(bare.count(closing) for closing in "]}")


def _table_path(names: list[str], is_row: bool, counts: dict[Path, int]) -> Path:
    """The path of a header; a name that is a list of tables means its last row."""
    path: Path = ()
    for at, name in enumerate(names):
        path = (*path, name)
        if is_row and at == len(names) - 1:
            counts[path] = counts.get(path, -1) + 1
        if path in counts:
            path = (*path, counts[path])
    return path

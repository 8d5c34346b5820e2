"""Setting papers as PDF with typst: the same data give the same bytes, on every machine and without a network."""

import datetime
import io
import json
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import segno
import typst
from django.conf import settings
from fontTools.ttLib import TTFont

TEMPLATES = Path(__file__).parent / "typst"
FONTS = Path(settings.BASE_DIR) / "static" / "build" / "fonts"
FACES = ("NotoSansSC-Regular.ttf", "NotoSansSC-Bold.ttf")


@cache
def _fonts() -> typst.Fonts:
    # Only our own fonts: a machine's fonts would change the paper, and looking for them takes seconds.
    return typst.Fonts(include_system_fonts=False, include_embedded_fonts=False, font_paths=[str(FONTS)])


@cache
def _drawable() -> frozenset[int]:
    """The characters that every face of the font can draw."""
    cmaps = [TTFont(FONTS / face, lazy=True).getBestCmap() for face in FACES]
    return frozenset.intersection(*(frozenset(cmap) for cmap in cmaps))


def undrawable(data: object) -> str:
    """The characters in the texts of `data` that the font cannot draw, each once: typst would leave boxes silently."""
    missing = {character for text in _texts(data) for character in text if ord(character) not in _drawable()}
    return "".join(sorted(missing - {"\n"}))


def _texts(data: object) -> Iterator[str]:
    if isinstance(data, str):
        yield data
    elif isinstance(data, Mapping):
        for value in data.values():
            yield from _texts(value)
    elif isinstance(data, list | tuple):
        for value in data:
            yield from _texts(value)


def pdf(template: str, data: Mapping[str, Any], *, check_url: str, issued_at: datetime.datetime) -> bytes:
    """A tagged PDF (PDF/UA-1) of a template under documents/typst/.

    `data` is JSON: texts, numbers, lists, tables; it goes in as data, so nothing in it is read as markup. `check_url`
    stands on the paper as a QR code. Raises typst.TypstError for data the template cannot set.
    """
    content = {**data, "day": [issued_at.year, issued_at.month, issued_at.day]}
    inputs = {"data": json.dumps(content, ensure_ascii=False, sort_keys=True), "qr": _qr(check_url)}
    return typst.compile(
        str(TEMPLATES / template),
        root=str(TEMPLATES),
        font_paths=_fonts(),
        sys_inputs=inputs,
        format="pdf",
        pdf_standards=["ua-1"],
        timestamp=int(issued_at.timestamp()),
    )


def _qr(text: str) -> str:
    drawn = io.BytesIO()
    segno.make(text, error="m", micro=False).save(drawn, kind="svg", border=0, xmldecl=False, svgns=True)
    return drawn.getvalue().decode()

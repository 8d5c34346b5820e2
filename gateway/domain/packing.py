"""Files as institutions send and fetch them: one TXT, packed. What comes from outside is unpacked with a limit."""

import io
import lzma
import zipfile
import zlib

ZIP_STARTS = (b"PK\x03\x04", b"PK\x05\x06")
# A fixed time, so that the same rows give the same bytes.
TIME = (1980, 1, 1, 0, 0, 0)


class Unpackable(ValueError):
    """Why a file cannot be opened: file_broken, file_locked, file_several, file_too_large."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def unpack(content: bytes, most: int) -> bytes:
    """The one file inside a zip, or the content itself if it is no zip; at most `most` bytes.

    What the directory of the zip says of its size is not believed. Raises Unpackable.
    """
    if not content.startswith(ZIP_STARTS):
        return _limited(content, most)
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as packed:
            inside = [one for one in packed.infolist() if not one.is_dir() and not one.filename.startswith("__MACOSX/")]
            if len(inside) != 1:
                raise Unpackable("file_several")
            if inside[0].flag_bits & 1:
                raise Unpackable("file_locked")
            if inside[0].file_size > most:
                raise Unpackable("file_too_large")
            with packed.open(inside[0]) as stream:
                return _limited(stream.read(most + 1), most)
    except (zipfile.BadZipFile, zlib.error, lzma.LZMAError, NotImplementedError, EOFError, OSError, UnicodeDecodeError):
        raise Unpackable("file_broken") from None


def _limited(content: bytes, most: int) -> bytes:
    if len(content) > most:
        raise Unpackable("file_too_large")
    return content


def pack(name: str, content: bytes) -> bytes:
    """A zip with one file."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as out:
        out.writestr(zipfile.ZipInfo(name, TIME), content, zipfile.ZIP_DEFLATED)
    return packed.getvalue()

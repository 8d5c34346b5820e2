"""What is uploaded leaves nothing on the disk, even where a worker is killed in the middle (D7)."""

import io
import re
from pathlib import Path

import pytest
from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.test import RequestFactory

from accounts.uploads import NamelessUploadHandler

APPS = ["accounts", "casework", "counter", "documents", "family", "gateway", "settlements"]
LARGE = b"310101198503120028," * 200_000


def received(content: bytes) -> UploadedFile:
    sent = io.BytesIO(content)
    sent.name = "contributions.csv"
    return RequestFactory().post("/", {"file": sent}).FILES["file"]


def test_a_large_file_lies_nowhere_under_a_name(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    seen = []
    write = NamelessUploadHandler.receive_data_chunk

    def watched(self: NamelessUploadHandler, raw_data: bytes, start: int) -> None:
        write(self, raw_data, start)
        seen.append([*tmp_path.iterdir()])

    monkeypatch.setattr(NamelessUploadHandler, "receive_data_chunk", watched)
    assert len(LARGE) > settings.FILE_UPLOAD_MAX_MEMORY_SIZE
    file = received(LARGE)
    assert (file.name, file.size, file.read()) == ("contributions.csv", len(LARGE), LARGE)
    assert len(seen) > 10 and not any(seen) and not [*tmp_path.iterdir()]
    file.close()
    assert received(b"small").read() == b"small"


def test_what_breaks_off_is_let_go() -> None:
    handler = NamelessUploadHandler()
    handler.upload_interrupted()
    handler.new_file("file", "a.csv", "text/csv", None)
    handler.receive_data_chunk(b"a", 0)
    handler.upload_interrupted()
    assert handler.file.closed


def test_nobody_makes_a_temporary_file_with_a_name() -> None:
    named = re.compile(r"NamedTemporaryFile|mkstemp|mkdtemp|TemporaryDirectory|SpooledTemporaryFile")
    root = Path(settings.BASE_DIR)
    assert [str(file) for app in APPS for file in (root / app).rglob("*.py") if named.search(file.read_text())] == []

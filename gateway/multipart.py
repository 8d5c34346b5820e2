"""A file that comes beside its message (9101): multipart/form-data with the parts `jsonStr` and `file`, annex A.1."""

from io import BytesIO

from django.core.exceptions import SuspiciousOperation
from django.core.files.uploadhandler import MemoryFileUploadHandler
from django.http.multipartparser import MultiPartParser, MultiPartParserError

from gateway.errors import Rejected

NAME = "jsonStr"


def split(body: bytes, content_type: str) -> tuple[bytes, bytes | None]:
    """The message and its file; the body as it is and None if it is of another kind, whatever its type is said to be.

    Raises Rejected("body_not_json") when it is cut into parts and none is the message.
    """
    if not content_type.lower().startswith("multipart/form-data") or not body.lstrip().startswith(b"--"):
        return body, None
    # As Latin-1 every byte comes through: what is no UTF-8 is found where every message is read.
    handler = MemoryFileUploadHandler()
    meta = {"CONTENT_TYPE": content_type, "CONTENT_LENGTH": str(len(body))}
    handler.handle_raw_input(BytesIO(body), meta, len(body), None)
    try:
        parts, files = MultiPartParser(meta, BytesIO(body), [handler], "latin-1").parse()
    except (MultiPartParserError, SuspiciousOperation):
        # The latter: more parts than Django takes.
        raise Rejected("body_not_json", place="multipart") from None
    if NAME in files:
        message = files[NAME].read()
    elif NAME in parts:
        message = parts[NAME].encode("latin-1")
    else:
        raise Rejected("body_not_json", place=NAME)
    file = next((found for name, found in files.items() if name != NAME), None)
    return message, file.read() if file else b""

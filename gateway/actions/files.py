"""9101 and 9102: files that institutions send and fetch. Kept encrypted, and emptied when their deadline has passed."""

import base64
import datetime
from hashlib import sha256
from typing import Any

from django.conf import settings

from accounts.errors import Refused
from accounts.models import Institution
from gateway.actions.visits import new_number
from gateway.envelope import FileAnswer
from gateway.models import GatewayFile
from gateway.queries.reconciling import kept_bytes

MEGABYTE = 2**20
# Of one institution at one time: a client that uploads in a loop must not fill the database.
MOST_KEPT = 200 * MEGABYTE


def upload(
    *, institution: Institution, msgid: str, given: dict[str, Any], at: datetime.datetime, file: bytes | None
) -> dict[str, Any]:
    """Answer 9101: the file, which comes beside the message or in it, is kept under a number until its deadline.

    Raises Refused: institution_unknown, file_empty, files_too_many.
    """
    data = given["fsUploadIn"]
    content = data["in"] if file is None else file
    if data["fixmedins_code"] != institution.code:
        raise Refused("institution_unknown")
    if not content:
        raise Refused("file_empty")
    kept = keep(institution=institution, way=GatewayFile.UPLOADED, name=data["filename"], content=content, at=at)
    return {
        "row": {
            "file_qury_no": kept.number,
            "filename": kept.name,
            "fixmedins_code": institution.code,
            "dld_endtime": kept.kept_until,
        }
    }


def keep(*, institution: Institution, way: str, name: str, content: bytes, at: datetime.datetime) -> GatewayFile:
    """A file under a new number. Raises Refused("files_too_many") when the institution has too many megabytes here."""
    if kept_bytes(institution) + len(content) > MOST_KEPT:
        raise Refused("files_too_many", megabytes=MOST_KEPT // MEGABYTE)
    return GatewayFile.objects.create(
        number=new_number(institution.region_id, at),
        institution=institution,
        way=way,
        name=_name(name),
        size=len(content),
        sha256=sha256(content).hexdigest(),
        content=base64.b64encode(content).decode(),
        made_at=at,
        kept_until=at + datetime.timedelta(days=settings.GATEWAY_FILE_DAYS),
    )


def _name(name: str) -> str:
    """Some clients send the whole path on their machine; a quotation mark would end the name in the answer's header."""
    return name.replace("\\", "/").rpartition("/")[2].replace('"', "").strip()[-200:] or "file"


def download(*, institution: Institution, msgid: str, given: dict[str, Any], at: datetime.datetime) -> FileAnswer:
    """Answer 9102. The name is not compared: the number says which file it is.

    Raises Refused: file_unknown (also another institution's), file_gone.
    """
    file = file_of(institution, given["fsDownloadIn"]["file_qury_no"], at=at)
    return FileAnswer(file.name, content_of(file))


def file_of(institution: Institution, number: str, *, at: datetime.datetime) -> GatewayFile:
    """A file of this institution that is still kept. Raises Refused: file_unknown, file_gone."""
    file = GatewayFile.objects.filter(institution=institution, number=number).first()
    if file is None:
        raise Refused("file_unknown")
    if file.content is None or file.kept_until <= at:
        raise Refused("file_gone", days=settings.GATEWAY_FILE_DAYS)
    return file


def content_of(file: GatewayFile) -> bytes:
    """The bytes as they came."""
    return base64.b64decode(str(file.content))


def delete_old(*, at: datetime.datetime) -> int:
    """Empty the files whose deadline has passed; how many. Number, size and hash stay for questions that come later."""
    return GatewayFile.objects.filter(kept_until__lte=at, content__isnull=False).update(content=None)

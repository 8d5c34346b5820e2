"""A small signed client of this gateway: for tests and benchmarks, and a model for institutions. Standard library."""

import datetime
import http.client
import json
import secrets
import time
from hashlib import sha256
from typing import Any
from urllib.parse import urlsplit

PATH = "/fsi/api/rsfComIfsService/callService"
SHANGHAI = datetime.timezone(datetime.timedelta(hours=8))


def signed_headers(key_id: str, secret: str, *, timestamp: int | None = None, nonce: str = "") -> dict[str, str]:
    """The x-tif headers of one call; `timestamp` in Unix seconds."""
    seconds = str(int(time.time()) if timestamp is None else timestamp)
    nonce = nonce or secrets.token_hex(16)
    return {
        "x-tif-paasid": key_id,
        "x-tif-timestamp": seconds,
        "x-tif-nonce": nonce,
        "x-tif-signature": sha256(f"{seconds}{secret}{nonce}{seconds}".encode()).hexdigest(),
    }


def envelope(infno: str, given: Any, institution_code: str, *, msgid: str = "", region: str = "") -> dict[str, Any]:
    """The request around an input; a new msgid unless one is given."""
    now = datetime.datetime.now(SHANGHAI)
    return {
        "infno": infno,
        # The text wants code + moment + four digits; a random tail is as accepted, and never meets another process's.
        "msgid": msgid or institution_code[:12] + secrets.token_hex(9),
        "mdtrtarea_admvs": region or institution_code[1:7],
        "insuplc_admdvs": "",
        "recer_sys_code": "MBS_LOCAL",
        "infver": "V1.0",
        "opter_type": "1",
        "opter": "01",
        "opter_name": "client",
        "inf_time": f"{now:%Y-%m-%d %H:%M:%S}",
        "fixmedins_code": institution_code,
        "fixmedins_name": "",
        "input": given,
    }


class Client:
    """Calls transactions of one institution over one kept connection. Not for several threads at once."""

    def __init__(self, base_url: str, institution_code: str, key_id: str, secret: str, timeout: float = 30) -> None:
        parts = urlsplit(base_url)
        connection = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        self.connection = connection(parts.netloc, timeout=timeout)
        self.institution_code, self.key_id, self.secret = institution_code, key_id, secret

    def call(self, infno: str, given: Any, *, msgid: str = "") -> dict[str, Any]:
        """The whole answer envelope. Raises OSError or http.client.HTTPException when there is none.

        A lost answer is asked for again by calling with the same `msgid`; nothing happens twice.
        """
        body = json.dumps(envelope(infno, given, self.institution_code, msgid=msgid), ensure_ascii=False, default=str)
        headers = {"Content-Type": "application/json", **signed_headers(self.key_id, self.secret)}
        self.connection.request("POST", PATH, body.encode(), headers)
        return json.loads(self.connection.getresponse().read())

    def close(self) -> None:
        """Give the connection back."""
        self.connection.close()

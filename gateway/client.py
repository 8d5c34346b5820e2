"""A small signed client of this gateway: for tests and benchmarks, and a model for institutions. Standard library."""

import base64
import datetime
import hmac
import http.client
import json
import secrets
import time
from dataclasses import dataclass
from hashlib import sha1, sha256
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


def x_ca_headers(institution_code: str, secret: str, body: bytes, *, timestamp: int | None = None) -> dict[str, str]:
    """The headers of Zhejiang: HMAC-SM3 over the body. Needs an OpenSSL that has SM3."""
    seconds = str(int(time.time()) if timestamp is None else timestamp)
    made = hmac.new(secret.encode(), f"{seconds}\n".encode() + body, "sm3").hexdigest().upper()
    return {"x-ca-key": institution_code, "x-ca-signature": f"{seconds}:{made}"}


def api_headers(key_id: str, secret: str, name: str, *, timestamp: int | None = None) -> dict[str, str]:
    """The headers of Hunan and Jiangsu: HmacSHA1 over four of them; `timestamp` in milliseconds, or in seconds."""
    moment = str(time.time_ns() // 10**6 if timestamp is None else timestamp)
    headers = {
        "_api_access_key": key_id,
        "_api_name": name,
        "_api_timestamp": moment,
        "_api_version": "1.0.0",
    }
    text = "&".join(f"{key}={headers[key]}" for key in sorted(headers))
    signature = base64.b64encode(hmac.digest(secret.encode(), text.encode(), sha1)).decode()
    return headers | {"_api_signature": signature}


def api_key_headers(key_id: str, secret: str) -> dict[str, str]:
    """The header of Henan: the key itself."""
    return {"apikey": f"{key_id}.{secret}"}


def new_msgid(institution_code: str) -> str:
    """The number of a message: 30 characters that no other message has."""
    # The text wants code + moment + four digits; a random tail is as accepted, and never meets another process's.
    return institution_code[:12] + secrets.token_hex(9)


def envelope(infno: str, given: Any, institution_code: str, *, msgid: str = "", region: str = "") -> dict[str, Any]:
    """The request around an input; a new msgid unless one is given."""
    now = datetime.datetime.now(SHANGHAI)
    return {
        "infno": infno,
        "msgid": msgid or new_msgid(institution_code),
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


@dataclass(frozen=True)
class Answered:
    """What came back over the line, as it came."""

    status: int
    headers: dict[str, str]
    content: bytes


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
        answer: dict[str, Any] = json.loads(self.send(body.encode(), self.headers()).content)
        return answer

    def headers(self) -> dict[str, str]:
        """Those of one call: each is signed anew."""
        return {"Content-Type": "application/json", **signed_headers(self.key_id, self.secret)}

    def send(self, body: bytes, headers: dict[str, str]) -> Answered:
        """A body with its headers, and what came back. Raises OSError or http.client.HTTPException when nothing did."""
        self.connection.request("POST", PATH, body, headers)
        answer = self.connection.getresponse()
        return Answered(answer.status, dict(answer.getheaders()), answer.read())

    def close(self) -> None:
        """Give the connection back."""
        self.connection.close()

import datetime
import ipaddress
import logging
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from allauth.core.internal.httpkit import get_client_ip
from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import ImproperlyConfigured, RequestDataTooBig
from django.http import HttpRequest, HttpResponse
from django.http.request import UnreadablePostError
from django.utils import translation
from django.views.decorators.csrf import csrf_exempt

from accounts.clock import now
from accounts.errors import Refused
from gateway import envelope, multipart, paths, pressure, signatures
from gateway.actions import turning_away
from gateway.actions.messages import deliver
from gateway.envelope import FileAnswer
from gateway.errors import Rejected
from gateway.models import InstitutionKey
from gateway.texts import err_msg

logger = logging.getLogger(__name__)
MOST_PATH = 100
JSON = "application/json; charset=utf-8"
View = Callable[..., HttpResponse]


def _entry(view: View) -> View:
    """A view for programs: they have no session and no cookie to forge, each call carries its own signature. Whoever
    comes otherwise than by POST, such as a probe, is told so in the same form."""

    def entry(request: HttpRequest, **parts: str) -> HttpResponse:
        return view(request, **parts) if request.method == "POST" else _only_post(request)

    entry.reads_raw_body = True  # type: ignore[attr-defined]
    return csrf_exempt(login_not_required(entry))


@_entry
def call(request: HttpRequest) -> HttpResponse:
    """Every transaction. Failures too are HTTP 200 with infcode -1: clients take another status for a broken line."""
    return _answer(request, ())


@_entry
def call_service(request: HttpRequest, service: str, method: str, name: str | None = None) -> HttpResponse:
    """The same at the address of one transaction, or with the number in the address: it must be that of the message."""
    return _answer(request, paths.numbers_at(service, method, name or ""))


@_entry
def call_nowhere(request: HttpRequest) -> HttpResponse:
    """An address that no transaction has."""
    return _answer(request, None)


def _only_post(request: HttpRequest) -> HttpResponse:
    at = now()
    with translation.override(settings.LANGUAGE_CODE):
        answer = _failure(Rejected("post_only"), None, at)
    response = HttpResponse(b"" if request.method == "HEAD" else answer, content_type=JSON, status=405)
    response["Allow"] = "POST"
    return response


def _answer(request: HttpRequest, numbers: Collection[str] | None) -> HttpResponse:
    at = now()
    key: InstitutionKey | None = None
    with translation.override(settings.LANGUAGE_CODE):
        try:
            body = _body(request)
            if numbers is None:
                raise Rejected("path_unknown", path=request.path_info[:MOST_PATH])
            key, nonce = signatures.authenticate(request.headers, body, at=at)
            message, file = multipart.split(body, request.META.get("CONTENT_TYPE", ""))
            encoding = request.headers.get("Content-Encoding", "")
            known = envelope.read(message, numbers, file=file, encoding=encoding)
            answer = deliver(key=key, nonce=nonce, call=known, at=at, came_from=partial(_address, request))
        except Refused as refusal:
            # Not kept as a message: whoever has no key must not be able to fill the database.
            logger.warning("gateway call rejected: %s %s", refusal.code, key.key_id if key else "")
            who = key.key_id if key else signatures.named_by(request.headers)
            turning_away.count(who=who, code=refusal.code, at=at)
            answer = _failure(refusal, key, at, signatures.told_beside(request.headers, refusal.code))
        except Exception:
            logger.exception("gateway call failed")
            answer = _failure(Rejected("system_error"), key, at)
    if isinstance(answer, FileAnswer):
        return _file(answer)
    return HttpResponse(answer, content_type=JSON)


def _failure(
    refusal: Refused, key: InstitutionKey | None, at: datetime.datetime, beside: Mapping[str, Any] | None = None
) -> str:
    dialect = (key.dialect if key else None) or envelope.USUAL
    if beside:
        dialect = replace(dialect, more={**dialect.more, **beside})
    return envelope.failure(err_msg(refusal), received_at=at, at=now(), dialect=dialect)


def _file(answer: FileAnswer) -> HttpResponse:
    response = HttpResponse(answer.content, content_type="application/octet-stream")
    response.headers["Content-Disposition"] = f'attachment; filename="{answer.name}"'
    return response


def _body(request: HttpRequest) -> bytes:
    most = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
    try:
        if "CONTENT_LENGTH" not in request.META and request.META.get("wsgi.input_terminated"):
            # .NET sends in chunks without saying how long; the server says where it ends, and Django does not ask it.
            body = request.META["wsgi.input"].read(most + 1)
            if len(body) > most:
                raise RequestDataTooBig
            return body
        return request.body
    except RequestDataTooBig:
        known = "CONTENT_LENGTH" in request.META
        pressure.drain(request if known else request.META["wsgi.input"], None)
        raise Rejected("body_too_large", megabytes=most // 2**20) from None
    except UnreadablePostError:
        raise Rejected("body_cut") from None


def _address(request: HttpRequest) -> str | None:
    """From where the call comes, behind our own proxies; None if what they say is no address."""
    try:
        address = ipaddress.ip_address(get_client_ip(request) or "")
    except (ValueError, ImproperlyConfigured):
        return None
    mapped = getattr(address, "ipv4_mapped", None)
    return str(mapped or address)

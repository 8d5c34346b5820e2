import logging

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse
from django.utils import translation
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from accounts.clock import now
from accounts.errors import Refused
from gateway import envelope, signatures
from gateway.actions.messages import deliver
from gateway.errors import Rejected
from gateway.texts import err_msg

logger = logging.getLogger(__name__)


# Institutions have no session and no cookie to forge: each call carries its own signature.
@csrf_exempt
@login_not_required
@require_POST
def call(request: HttpRequest, infno: str | None = None) -> HttpResponse:
    """Every transaction. Failures too are HTTP 200 with infcode -1: clients take another status for a broken line."""
    at = now()
    with translation.override(settings.LANGUAGE_CODE):
        try:
            body = _body(request)
            key, nonce = signatures.authenticate(request.headers, body, at=at)
            answer = deliver(key=key, nonce=nonce, call=envelope.read(body, infno), at=at)
        except Refused as refusal:
            # Not kept as a message: whoever has no key must not be able to fill the database.
            logger.warning("gateway call rejected: %s", refusal.code)
            answer = envelope.failure(err_msg(refusal), received_at=at, at=now())
        except Exception:
            logger.exception("gateway call failed")
            answer = envelope.failure(err_msg(Rejected("system_error")), received_at=at, at=now())
    return HttpResponse(answer, content_type="application/json; charset=utf-8")


call.reads_raw_body = True  # type: ignore[attr-defined]


def _body(request: HttpRequest) -> bytes:
    try:
        return request.body
    except RequestDataTooBig:
        raise Rejected("body_too_large", megabytes=settings.DATA_UPLOAD_MAX_MEMORY_SIZE // 2**20) from None

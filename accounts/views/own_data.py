"""All that is kept about the reader, as one file."""

import tempfile

from allauth.core.ratelimit import consume
from django.http import FileResponse, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.views.decorators.http import require_http_methods

from accounts import clock, own_data, reasons
from accounts.actions import own_data as copies
from accounts.decorators import member_required, password_proof_required


@require_http_methods(["GET", "HEAD", "POST"])
@member_required()
@password_proof_required
def own_data_page(request: HttpRequest) -> HttpResponseBase:
    """What the file holds, and by the button the file itself. A stolen telephone is not enough for it."""
    if request.method != "POST":
        return _page(request)
    if not consume(request, action="own_data", user=request.user):
        return _page(request, refused=str(reasons.tell("too_many_copies")), status=429)
    # Without a name: it is gone from the disk when it has been sent, however that ends.
    file = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the answer
    try:
        copies.write_copy(by=request.user, at=clock.now(), into=file)
    except BaseException:
        file.close()
        raise
    file.seek(0)
    name = f"my-data-{clock.today()}.zip"
    return FileResponse(file, as_attachment=True, filename=name, content_type="application/zip")


def _page(request: HttpRequest, refused: str = "", status: int = 200) -> HttpResponse:
    context = {"listed": [table.title for table in own_data.tables()], "refused": refused}
    return render(request, "accounts/own_data.html", context, status=status)

"""The carrier of the suite: Django's client instead of a line, for the same programs."""

from django.test import Client

from conformance.carrier import Reply


class Direct:
    """Straight into the view."""

    def __init__(self) -> None:
        self.client = Client(raise_request_exception=True)

    def post(self, path: str, body: bytes, headers: dict[str, str], *, expect: bool = False) -> Reply:
        """As `conformance.carrier.Carrier` says; there is no line on which to ask first."""
        kind = headers.get("Content-Type", "")
        others = {name: value for name, value in headers.items() if name != "Content-Type"}
        response = self.client.post(path, body, content_type=kind, headers=others)
        return Reply(response.status_code, response.headers["Content-Type"], response.content)

from django.urls import path

from gateway.views import calls, docs

app_name = "gateway"
# One address for all transactions (annex A of the interface); some clients put the number behind it.
# Others have an address for each transaction (gateway.paths).
urlpatterns = [
    path("gateway/docs/", docs.index, name="docs"),
    path("gateway/docs/errors/", docs.errors, name="docs_errors"),
    path("gateway/docs/signing/", docs.signing, name="docs_signing"),
    path("gateway/docs/codes/", docs.codes, name="docs_codes"),
    path("gateway/docs/<slug:number>/", docs.transaction, name="docs_transaction"),
    path("gateway/docs/<slug:number>/<slug:way>.json", docs.sample, name="docs_sample"),
    path("fsi/api/rsfComIfsService/callService", calls.call, name="call"),
    path("fsi/api/rsfComIfsService/callService/<slug:name>", calls.call_numbered, name="call_numbered"),
    path("fsi/api/<slug:service>/<slug:method>", calls.call_service, name="call_service"),
]

from django.urls import path, re_path

from gateway.views import calls, docs

app_name = "gateway"
# One address for all transactions (annex A of the interface, and Jilin's); some clients put the number behind it, or a
# version and the number. Others have an address for each transaction (gateway.paths). Capitals and a slash at the end do
# not matter: programs put their addresses together out of parts. What is no address is told so by the interface, not by
# a page.
urlpatterns = [
    path("gateway/docs/", docs.index, name="docs"),
    path("gateway/docs/errors/", docs.errors, name="docs_errors"),
    path("gateway/docs/signing/", docs.signing, name="docs_signing"),
    path("gateway/docs/codes/", docs.codes, name="docs_codes"),
    path("gateway/docs/<slug:number>/", docs.transaction, name="docs_transaction"),
    path("gateway/docs/<slug:number>/<slug:way>.json", docs.sample, name="docs_sample"),
    path("fsi/api/rsfComIfsService/callService", calls.call, name="call"),
    re_path(
        r"^fsi/api/(?P<service>[-\w]+)/(?P<method>[-\w]+)(?:/(?P<name>.*))?$", calls.call_service, name="call_service"
    ),
    re_path(r"^fsi/api/", calls.call_nowhere, name="call_nowhere"),
]

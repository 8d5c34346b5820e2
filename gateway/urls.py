from django.urls import path

from gateway.views import calls

app_name = "gateway"
# One address for all transactions (annex A of the interface); some clients put the number behind it.
# Others have an address for each transaction (gateway.paths).
urlpatterns = [
    path("fsi/api/rsfComIfsService/callService", calls.call, name="call"),
    path("fsi/api/rsfComIfsService/callService/<slug:name>", calls.call_numbered, name="call_numbered"),
    path("fsi/api/<slug:service>/<slug:method>", calls.call_service, name="call_service"),
]

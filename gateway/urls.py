from django.urls import path

from gateway.views import calls

app_name = "gateway"
# One address for all transactions (annex A of the interface); some clients put the number behind it.
urlpatterns = [
    path("fsi/api/rsfComIfsService/callService", calls.call, name="call"),
    path("fsi/api/rsfComIfsService/callService/<slug:infno>", calls.call, name="call_numbered"),
]

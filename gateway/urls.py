from django.urls import path

from gateway import views

app_name = "gateway"
# One address for all transactions (annex A of the interface); some clients put the number behind it.
urlpatterns = [
    path("fsi/api/rsfComIfsService/callService", views.call, name="call"),
    path("fsi/api/rsfComIfsService/callService/<slug:infno>", views.call, name="call_numbered"),
]

from django.urls import path

from casework.views import bringing, mine

app_name = "casework"
urlpatterns = [
    path("cases/", mine.cases, name="mine"),
    path("bring/", bringing.bring, name="bring"),
]

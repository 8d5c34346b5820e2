from django.urls import path

from casework.views import mine

app_name = "casework"
urlpatterns = [
    path("cases/", mine.cases, name="mine"),
]

from django.urls import path

from portal.till import views

app_name = "till"
urlpatterns = [
    path("", views.start, name="start"),
    path("at/<slug:code>/", views.patients, name="patients"),
    path("visit/", views.visit, name="visit"),
    path("receipt/", views.receipt, name="receipt"),
    path("messages/<int:number>/command.sh", views.command, name="command"),
]

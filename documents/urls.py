from django.urls import path

from documents.views.check import check

app_name = "documents"
urlpatterns = [
    path("check/", check, name="check"),
    # The address of the code on the paper: short, so that the code is coarse enough for a worn print.
    path("v/<str:number>/", check, name="check_number"),
]

from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    path("admin/", admin.site.urls),
    path("", include("gateway.urls")),
    path("preferences/", include("accounts.urls_preferences")),
    path("", include("accounts.urls_allauth")),
    path("", include("accounts.urls")),
]

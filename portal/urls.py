from django.contrib import admin
from django.urls import include, path

from portal.views.health import healthz
from portal.views.home import home

urlpatterns = [
    path("", home, name="home"),
    path("healthz", healthz, name="healthz"),
    path("admin/", admin.site.urls),
    path("", include("gateway.urls")),
    path("preferences/", include("accounts.urls_preferences")),
    path("", include("accounts.urls_allauth")),
    path("", include("accounts.urls")),
    path("", include("documents.urls")),
    path("", include("settlements.urls")),
]

from django.conf import settings
from django.contrib import admin
from django.urls import include, path

from family.urls import urlpatterns as family_pages
from portal.views import family
from portal.views.favicon import favicon
from portal.views.health import healthz
from portal.views.home import home

# Pages of the family that need settlements as well: they stand among its own.
combined = [
    path("", family.home, name="home"),
    path("order/", family.order, name="order"),
    path("grants/<uuid:public_id>/", family.grant, name="grant"),
]

urlpatterns = [
    path("", home, name="home"),
    path("favicon.ico", favicon, name="favicon"),
    path("healthz", healthz, name="healthz"),
    path("admin/", admin.site.urls),
    path("", include("gateway.urls")),
    path("preferences/", include("accounts.urls_preferences")),
    path("", include("accounts.urls_allauth")),
    path("", include("accounts.urls")),
    path("", include("documents.urls")),
    path("", include("settlements.urls")),
    path("", include("casework.urls")),
    path("family/", include(([*combined, *family_pages], "family"))),
    path("counter/", include("counter.urls")),
]
if settings.DEMO:
    urlpatterns.append(path("demo/till/", include("portal.till.urls")))

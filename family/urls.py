"""The pages of family sharing. The home, the order and a grant's page combine apps: `portal.urls` adds them to these."""

from django.urls import path

from family.views import applications, bind, grants

app_name = "family"
urlpatterns = [
    path("bind/", bind.who, name="bind"),
    path("bind/result/", bind.result, name="bind_result"),
    path("bind/terms/", bind.terms, name="bind_terms"),
    path("applications/<uuid:public_id>/", applications.application, name="application"),
    path("applications/<uuid:public_id>/check/", bind.check, name="check"),
    path("applications/<uuid:public_id>/submitted/", bind.submitted, name="submitted"),
    path("applications/<uuid:public_id>/amend/", applications.amend, name="amend"),
    path("applications/<uuid:public_id>/withdraw/", applications.withdraw, name="withdraw"),
    path("invitations/<uuid:public_id>/", applications.invitation, name="invitation"),
    path("grants/<uuid:public_id>/limit/", grants.adjust, name="adjust"),
    path("grants/<uuid:public_id>/pause/", grants.pause, name="pause"),
    path("grants/<uuid:public_id>/end/", grants.end, name="end"),
]

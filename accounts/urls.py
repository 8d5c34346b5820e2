from django.conf import settings
from django.urls import path

from accounts.views import claim, codes, demo, entry, inbox, me, own_data

app_name = "accounts"
urlpatterns = [
    path("login/text/", codes.login_phone, name="login_by_text"),
    path("login/text/code/", codes.login_code, name="login_by_text_code"),
    path("login/second-factor/", entry.enrol_second_factor, name="enrol_second_factor"),
    path("login/new-password/", entry.renew_password, name="renew_password"),
    path("password/forgotten/", codes.forgotten, name="forgotten"),
    path("password/forgotten/code/", codes.forgotten_code, name="forgotten_code"),
    path("password/forgotten/new/", codes.forgotten_new, name="forgotten_new"),
    path("prove/text/", codes.prove_by_text, name="prove_by_text"),
    path("claim/", claim.who, name="claim"),
    path("claim/code/", claim.code, name="claim_code"),
    path("claim/password/", claim.password, name="claim_password"),
    path("identity/", claim.identity, name="prove_identity"),
    path("identity/done/", claim.identity_done, name="identity_done"),
    path("me/", me.home, name="me"),
    path("me/password/", me.password, name="password"),
    path("me/phone/", me.phone, name="phone"),
    path("me/phone/code/", me.phone_code, name="phone_code"),
    path("me/sessions/", me.sessions, name="sessions"),
    path("me/seen/", me.seen, name="seen"),
    path("me/data/", own_data.own_data_page, name="own_data"),
    path("inbox/", inbox.messages, name="inbox"),
    path("inbox/read/", inbox.read_all, name="inbox_read_all"),
]
if settings.DEMO:
    urlpatterns.append(path("demo/", demo.page, name="demo"))

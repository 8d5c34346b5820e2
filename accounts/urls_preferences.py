from django.urls import path

from accounts.views import preferences

app_name = "preferences"
urlpatterns = [path("set/", preferences.set_preference, name="set")]

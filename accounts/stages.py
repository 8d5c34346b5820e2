"""Steps of a login at which staff set up a second factor, or choose a new password; until then nobody is logged in."""

from allauth.account.stages import LoginStage
from allauth.mfa.models import Authenticator
from allauth.mfa.utils import is_mfa_enabled
from django.http import HttpResponse, HttpResponseRedirect
from django.urls import reverse

from accounts import clock, passwords


class EnrolSecondFactorStage(LoginStage):
    """Comes after the question for the second factor, so whoever has just set one up is not asked twice."""

    key = "portal_enrol_second_factor"
    urlname = "accounts:enrol_second_factor"

    def handle(self) -> tuple[HttpResponse | None, bool]:
        user = self.login.user
        if user is None or not user.is_staff or is_mfa_enabled(user, [Authenticator.Type.TOTP]):
            return None, True
        return HttpResponseRedirect(reverse(self.urlname)), True


class RenewPasswordStage(LoginStage):
    """The last step, for staff whose password is old, or was chosen by an administrator."""

    key = "portal_renew_password"
    urlname = "accounts:renew_password"

    def handle(self) -> tuple[HttpResponse | None, bool]:
        if self.login.user is None or not passwords.is_to_be_renewed(self.login.user, clock.now()):
            return None, True
        return HttpResponseRedirect(reverse(self.urlname)), True

"""Who is meant by what stands in the login box, and whether the password is his."""

from allauth.account.auth_backends import AuthenticationBackend
from django.http import HttpRequest

from accounts.crypto import blind_index
from accounts.domain import id_number, phone
from accounts.models import User


def user_by_phone(number: str) -> User | None:
    """The citizen with this proven telephone. Staff log in by work number and second factor alone."""
    return User.objects.filter(phone_index=blind_index(number), phone_verified=True, is_staff=False).first()


def user_by_login(text: str) -> User | None:
    """The login meant by an ID number, a telephone or, for staff, a work number."""
    number = id_number.normalise(text)
    if len(number) == id_number.LENGTH:
        return User.objects.filter(member__id_number_index=blind_index(number)).first()
    try:
        return user_by_phone(phone.parse(text))
    except phone.BadPhone:
        return User.objects.filter(username=text.strip(), is_staff=True).first()


class PortalBackend(AuthenticationBackend):
    """Logs in by ID number, telephone or work number. An unknown login costs the time of a password check as well."""

    def _authenticate(self, request: HttpRequest | None, **credentials: str) -> User | None:
        text, password = credentials.get("username") or "", credentials.get("password") or ""
        return self._check_password(user_by_login(text), password)

    def get_user(self, user_id: int) -> User | None:
        # Nearly every page asks about the person behind the login.
        user = User.objects.select_related("member").filter(pk=user_id).first()
        return user if user is not None and self.user_can_authenticate(user) else None

    # Django's own permissions are not used: who may do what is in accounts.policies, by role.
    def has_perm(self, user_obj: User, perm: str, obj: object = None) -> bool:
        return False

    def has_module_perms(self, user_obj: User, app_label: str) -> bool:
        return False

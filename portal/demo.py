"""Who can log in to the demo. The people are in `portal.seeding.cast`, the staff in `portal.seeding.staff`."""

from django.utils.translation import gettext as _

from portal.seeding import cast, staff

Login = tuple[str, str, str, str]


def logins() -> list[Login]:
    """Role, login, password, note: one line each, for the terminal and the demo page."""
    return [*_members(), *_staff(), _institution()]


def _members() -> list[Login]:
    rows = [
        (_("member"), cast.MEMBER, _("Shanghai: shares with his parents and his daughter")),
        (_("his wife"), cast.WIFE, _("Shanghai: her brother's invitation waits for her answer")),
        (_("his father"), cast.FATHER, _("Shanghai, retired: uses his son's account")),
        (_("beneficiary"), cast.ORDERS, _("Beijing: three relatives share with her; change their order")),
        (_("rare characters"), cast.RARE, _("Shenyang: a name that older systems cannot show")),
    ]
    known = [(role, number, staff.PASSWORD, f"{name} · {note}") for role, (name, number), note in rows]
    name, number = cast.UNCLAIMED
    facts = {"name": name, "card": cast.UNCLAIMED_CARD, "phone": cast.UNCLAIMED_PHONE}
    note = (
        _("%(name)s, Zhengzhou: has no login yet; claim her record with card %(card)s and telephone %(phone)s") % facts
    )
    return [*known, (_("to be claimed"), number, "", note)]


def _staff() -> list[Login]:
    roles = {name: str(role.label) for name, _name, role, _regions in staff.STAFF}
    notes = {
        "w3101": _("Shanghai"),
        "w3102": _("Shanghai: applications wait for the second check"),
        "w1101": _("Beijing"),
        "w1102": _("Beijing: applications wait for the second check"),
        "r0001": _("has planned Beijing's year end"),
        "r0002": _("can release what the other planned"),
        "a0001": _("reads the log"),
    }
    codes = _("codes: /demo/")
    rows = [(roles[name], name, staff.PASSWORD, f"{note} · {codes}") for name, note in notes.items()]
    first = (str(staff.Role.SYSTEM_ADMIN.label), staff.SYSTEM_ADMIN[0], staff.PASSWORD, codes)
    return [*rows, first]


def _institution() -> Login:
    code = "H31010100001"
    return (
        _("institution"),
        code,
        "",
        _("keys of test institutions: /demo/; see docs/gateway.md"),
    )

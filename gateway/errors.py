from accounts.errors import Refused


class Rejected(Refused):
    """What the envelope itself objects to: headers, body, fields. Told by `gateway.texts`, answered with infcode -1."""

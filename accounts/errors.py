class Refused(Exception):
    """A business reason why something cannot be done: a code and the facts that explain it.

    Codes are told to people by `accounts.reasons.tell`; params must be JSON-able.
    """

    def __init__(self, code: str, **params: object) -> None:
        super().__init__(code)
        self.code = code
        self.params = params


class KeyReused(Exception):
    """The same idempotency key came with a different request: nothing was done."""

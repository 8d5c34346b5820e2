from accounts.errors import KeyReused, Refused

__all__ = ["KeyReused", "Refused"]

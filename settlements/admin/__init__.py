"""This app's part of the administration: Django finds this package, which registers what its modules hold."""

from settlements.admin import accounts, bills, closing, crediting, paying, rollover, rules  # noqa: F401 - being imported registers them

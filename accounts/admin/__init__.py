"""This app's part of the administration: Django finds this package, which registers what its modules hold."""

from accounts.admin import log, members, regions, users  # noqa: F401 - being imported registers them

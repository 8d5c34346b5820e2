"""This app's part of the administration: Django finds this package, which registers what its modules hold."""

from gateway.admin import calls, reconciling  # noqa: F401 - being imported registers them

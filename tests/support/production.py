"""A program that runs with the settings of production, on invented values."""

import os
import subprocess
import sys
from pathlib import Path

from django.conf import settings


def in_production(*arguments: str, **changed: str) -> subprocess.CompletedProcess[str]:
    """Python with these arguments, and its two outputs. `changed`: other values of the environment."""
    root = Path(settings.BASE_DIR)
    lines = (root / ".ci" / "production.env").read_text().splitlines()
    given = dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))
    environment = {name: value.strip("'") for name, value in given.items()} | changed
    environment |= {"DJANGO_SETTINGS_MODULE": "portal.settings.production", "PATH": os.environ["PATH"]}
    command = [sys.executable, *arguments]
    return subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True, check=False)

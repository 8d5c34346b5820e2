"""The browser of the browser tests: the machine's Chromium. `python -m tests.chromium` installs one where it can."""

import os
import shutil
import subprocess
import sys

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
ADVICE = (
    "The browser tests need Chromium: install it (Debian: apt install chromium fonts-noto-cjk) "
    "or name it with CHROME_PATH=/path/to/chromium."
)


def find() -> str | None:
    """The path of a Chromium that runs, or None. CHROME_PATH is asked first."""
    named = os.environ.get("CHROME_PATH")
    candidates = [named] if named else [path for name in NAMES if (path := shutil.which(name))]
    return next((path for path in candidates if _runs(path)), None)


def _runs(path: str) -> bool:
    """Ubuntu's chromium-browser is a stub that only tells how to install another package."""
    try:
        asked = subprocess.run([path, "--version"], capture_output=True, text=True, timeout=30, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return asked.returncode == 0 and "Chrom" in asked.stdout


def install() -> None:
    """With apt as root; elsewhere this does nothing and the caller says how."""
    if os.getuid() or not shutil.which("apt-get") or os.environ.get("CHROME_PATH"):
        return
    print("Installing Chromium for the browser tests ...", flush=True)
    quiet = {"env": os.environ | {"DEBIAN_FRONTEND": "noninteractive"}, "stdin": subprocess.DEVNULL}
    subprocess.run(["apt-get", "update", "-qq"], check=False, **quiet)
    packages = ["chromium", "fonts-noto-cjk"]
    subprocess.run(["apt-get", "install", "-y", "-qq", "--no-install-recommends", *packages], check=False, **quiet)


def main() -> int:
    if not find():
        install()
    if find():
        return 0
    print(ADVICE, file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())

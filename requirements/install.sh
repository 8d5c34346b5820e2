#!/bin/sh
# Makes .venv and installs requirements/$1.txt (base or dev) into it; does nothing while that file is unchanged.
# Needs Python 3.11 or newer. PYTHON chooses one.
set -eu
cd "$(dirname "$0")/.."
lock="requirements/$1.txt"
venv_python=.venv/bin/python

fits() { "$1" -c 'import sys, venv; sys.exit(not (3, 11) <= sys.version_info < (3, '"$2"'))' >/dev/null 2>&1; }

choose_python() {
    if [ -n "${PYTHON:-}" ]; then
        fits "$PYTHON" 99 && echo "$PYTHON"
        return
    fi
    # Without a redis-server the one of a wheel is used, and that wheel ends at Python 3.12.
    if [ -z "${REDIS_URL:-}" ] && ! command -v redis-server >/dev/null 2>&1; then
        for candidate in python3 python3.12 python3.11; do
            if fits "$candidate" 13; then echo "$candidate"; return; fi
        done
    fi
    for candidate in python3 python3.14 python3.13 python3.12 python3.11 python; do
        if fits "$candidate" 99; then echo "$candidate"; return; fi
    done
}

make_venv() {
    python=$(choose_python || true)
    if [ -z "$python" ]; then
        echo "Python 3.11 or newer is needed and was not found: install it, or name it with PYTHON=/path/to/python3." >&2
        exit 1
    fi
    echo "Making .venv with $("$python" --version) ..."
    rm -rf .venv
    if "$python" -m venv .venv >/dev/null 2>&1; then return; fi
    # Debian and Ubuntu keep a part of Python's venv in a package of its own.
    version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
        export DEBIAN_FRONTEND=noninteractive
        apt-get update -qq </dev/null
        apt-get install -y -qq --no-install-recommends "python$version-venv" </dev/null >/dev/null
        rm -rf .venv
        "$python" -m venv .venv
    else
        rm -rf .venv
        echo "$python cannot make virtual environments: install its venv package (Debian, Ubuntu: apt install python$version-venv)." >&2
        exit 1
    fi
}

fits "$venv_python" 99 && "$venv_python" -m pip --version >/dev/null 2>&1 || make_venv

if ! cmp -s "$lock" ".venv/$1.lock"; then
    echo "Installing $lock ..."
    "$venv_python" -m pip install --quiet --disable-pip-version-check --require-hashes -r "$lock" </dev/null
    cp "$lock" ".venv/$1.lock"
    # dev.txt holds everything of base.txt, compiled together.
    if [ "$1" = dev ]; then cp requirements/base.txt .venv/base.lock; fi
fi

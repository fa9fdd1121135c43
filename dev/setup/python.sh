#!/usr/bin/env bash
# Makes the virtual environment .venv with the pinned dependencies. Needs Python 3.13: the worker library does.
set -euo pipefail
cd "$(dirname "$0")/../.."

is_python_313() {
    # A pyenv shim may exist without a Python behind it, and a distribution's Python may lack venv: try it.
    "$1" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info[:2] != (3, 13))' >/dev/null 2>&1 </dev/null
}

find_python() {
    local candidate
    for candidate in python3.13 python3 python \
        "${PYENV_ROOT:-$HOME/.pyenv}"/versions/3.13*/bin/python3.13 "$HOME"/.pyenv/versions/3.13*/bin/python3.13; do
        if is_python_313 "$candidate"; then
            echo "$candidate"
            return
        fi
    done
    cat >&2 <<'MESSAGE'
Python 3.13 is needed and was not found: neither python3.13 on the path nor below pyenv's versions.
Install it (for example: pyenv install 3.13, or https://www.python.org/downloads/) with its venv module, then run make again.
MESSAGE
    return 1
}

# Always anew: what an older list had and this one has not must not stay.
python=$(find_python)
echo "Creating .venv with $("$python" --version) ..."
rm -rf .venv
"$python" -m venv .venv
echo "Installing the pinned Python packages ..."
.venv/bin/python -m pip install --quiet --disable-pip-version-check --no-input --require-hashes \
    -r dev/requirements.txt </dev/null
touch .venv/.installed

#!/bin/sh
# Install the server into a bare environment, without a network: install.sh ENVIRONMENT WHEELS LOCK
set -eu
"${PYTHON:-python3}" -m venv "$1"
"$1/bin/pip" install --quiet --disable-pip-version-check --no-index --find-links "$2" --require-hashes --no-deps -r "$3"
"$1/bin/pip" install --quiet --disable-pip-version-check --no-index --find-links "$2" --no-deps emoscope
"$1/bin/pip" check --disable-pip-version-check

#!/bin/sh
# Fetch the locked packages and build the wheel into dist/wheels: the only step that needs a network.
set -eu
cd "$(dirname "$0")/.."
python="${PYTHON:-python3}"
rm -rf dist/wheels
"$python" -m pip wheel --quiet --disable-pip-version-check --require-hashes --no-deps -r deploy/requirements.lock -w dist/wheels
"$python" -m pip wheel --quiet --disable-pip-version-check --no-deps . -w dist/wheels

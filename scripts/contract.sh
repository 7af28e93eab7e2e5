#!/usr/bin/env bash
# Holds the API of a running city to its own description: tests/contract/run.py, with schemathesis in target/tools.
#
#   scripts/contract.sh install           only makes what it needs
#   scripts/contract.sh --examples 25     asks for so many drawn requests an operation; any option of run.py
set -euo pipefail
cd "$(dirname "$0")/.."

SCHEMATHESIS=4.32.5
home=target/tools/contract

if [ "$(cat "$home/version" 2>/dev/null || true)" != "$SCHEMATHESIS" ]; then
    rm -rf "$home"
    python3 -m venv "$home"
    "$home/bin/python" -m pip install --quiet --disable-pip-version-check "schemathesis==$SCHEMATHESIS"
    echo "$SCHEMATHESIS" >"$home/version"
fi
[ "${1:-}" = install ] && exit 0
exec "$home/bin/python" tests/contract/run.py --wuji "${CARGO_TARGET_DIR:-target}/release/wuji" "$@"

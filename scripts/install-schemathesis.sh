#!/usr/bin/env bash
# Installs schemathesis, which tries the broker out by its API descriptions, where packages/broker/test/v1 looks for it.
set -euo pipefail
cd "$(dirname "$0")/.."
home=node_modules/.cache/schemathesis
[ -x "$home/bin/schemathesis" ] && exit 0
python3 -m venv "$home"
"$home/bin/pip" install --quiet 'schemathesis==4.32.5' || { rm -rf "$home"; exit 1; }

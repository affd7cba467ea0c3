#!/usr/bin/env bash
# Write data/sample_logins.csv again, or another log: scripts/simulate.sh [--rows N] [--seed N] [--out FILE]
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/environment
ensure_environment runtime
case " $* " in *" --out"*) ;; *) set -- --out data/sample_logins.csv "$@" ;; esac
exec "$VENV/bin/risk-training" simulate "$@"

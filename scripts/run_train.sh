#!/usr/bin/env bash
# Train the risk model on the bundled sample, or on another log: scripts/run_train.sh [--input LOG] [--model_dir DIR] …
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/environment
ensure_environment runtime
case " $* " in *" --input"*) ;; *) set -- --input data/sample_logins.csv "$@" ;; esac
exec "$VENV/bin/risk-training" train "$@"

#!/usr/bin/env bash
# Start the scoring service (port 8000 unless RISK_SCORER_PORT or --port says otherwise).
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/environment
ensure_environment runtime
exec "$VENV/bin/risk-scorer" serve "$@"

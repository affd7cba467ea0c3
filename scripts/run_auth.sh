#!/usr/bin/env bash
# Start the login gateway (port 9000 unless AUTH_GATEWAY_PORT or --port says otherwise).
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/environment
ensure_environment runtime
exec "$VENV/bin/auth-gateway" serve "$@"

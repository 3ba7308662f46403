#!/usr/bin/env bash
set -euo pipefail
# --8<-- [start:replace]
STEP=fix uv run manage.py shell -v 0 < .runbook/reset-app-migrations/reset.py
# --8<-- [end:replace]

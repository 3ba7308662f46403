#!/usr/bin/env bash
set -euo pipefail
# --8<-- [start:reset]
STEP=fix uv run manage.py shell -v 0 < .runbook/reset-development-database/reset.py
# --8<-- [end:reset]

#!/usr/bin/env bash
set -euo pipefail
# --8<-- [start:remove]
STEP=undo uv run manage.py shell -v 0 < .runbook/squash-app-migrations/squash.py
# --8<-- [end:remove]

#!/usr/bin/env bash
set -euo pipefail
# --8<-- [start:save]
STEP=save uv run manage.py shell -v 0 < .runbook/roll-back-migration/rollback.py
# --8<-- [end:save]
# --8<-- [start:migrate]
uv run manage.py migrate "$APP" "$MIGRATION" --database "${RUNBOOK_DATABASE:-default}"
# --8<-- [end:migrate]

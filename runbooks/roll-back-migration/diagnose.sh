#!/usr/bin/env bash
set -euo pipefail
# --8<-- [start:diagnose]
STEP=diagnose uv run manage.py shell -v 0 < .runbook/roll-back-migration/rollback.py
# --8<-- [end:diagnose]

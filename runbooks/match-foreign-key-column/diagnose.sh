#!/usr/bin/env bash
set -euo pipefail
# --8<-- [start:compare]
STEP=diagnose uv run manage.py shell -v 0 < .runbook/match-foreign-key-column/columns.py
# --8<-- [end:compare]

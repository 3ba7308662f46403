#!/usr/bin/env bash
set -euo pipefail
# --8<-- [start:check]
STEP=verify uv run manage.py shell -v 0 < .runbook/match-foreign-key-column/columns.py
# --8<-- [end:check]

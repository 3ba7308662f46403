#!/usr/bin/env bash
set -euo pipefail
# --8<-- [start:drop]
STEP=undo uv run manage.py shell -v 0 < .runbook/restore-missing-constraint/constraints.py
# --8<-- [end:drop]

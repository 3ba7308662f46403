#!/usr/bin/env bash
set -euo pipefail
# --8<-- [start:restore]
STEP=fix uv run manage.py shell -v 0 < .runbook/restore-missing-constraint/constraints.py
# --8<-- [end:restore]

#!/usr/bin/env bash
set -euo pipefail
# --8<-- [start:correct]
STEP=fix uv run manage.py shell -v 0 < .runbook/correct-check-violations/violations.py
# --8<-- [end:correct]

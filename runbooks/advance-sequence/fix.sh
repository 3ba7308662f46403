#!/usr/bin/env bash
set -euo pipefail
# --8<-- [start:advance]
STEP=fix uv run manage.py shell -v 0 < .runbook/advance-sequence/sequences.py
# --8<-- [end:advance]

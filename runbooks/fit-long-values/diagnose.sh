#!/usr/bin/env bash
set -euo pipefail
# --8<-- [start:find]
STEP=diagnose uv run manage.py shell -v 0 < .runbook/fit-long-values/long_values.py
# --8<-- [end:find]

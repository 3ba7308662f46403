#!/usr/bin/env bash
set -euo pipefail
# --8<-- [start:finish]
STEP=fix uv run manage.py shell -v 0 < .runbook/finish-half-applied-migration/half.py
# --8<-- [end:finish]

#!/usr/bin/env bash
set -euo pipefail
# --8<-- [start:find]
STEP=diagnose uv run manage.py shell -v 0 < .runbook/rebuild-dependent-views/views.py
# --8<-- [end:find]

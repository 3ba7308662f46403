#!/usr/bin/env bash
set -euo pipefail
# --8<-- [start:rename]
STEP=fix uv run manage.py shell -v 0 < .runbook/rename-app/rename.py
# --8<-- [end:rename]

#!/usr/bin/env bash
set -euo pipefail
# --8<-- [start:find]
uv run manage.py shell -v 0 < .runbook/back-up-database/find_backup.py
# --8<-- [end:find]

#!/usr/bin/env bash
set -euo pipefail
# --8<-- [start:go-back]
STEP=undo uv run manage.py shell -v 0 < .runbook/restore-database/restore_mariadb.py
# --8<-- [end:go-back]

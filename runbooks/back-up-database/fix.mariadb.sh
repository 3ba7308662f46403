#!/usr/bin/env bash
set -euo pipefail
# --8<-- [start:back-up]
uv run manage.py shell -v 0 < .runbook/back-up-database/back_up_mariadb.py
# --8<-- [end:back-up]

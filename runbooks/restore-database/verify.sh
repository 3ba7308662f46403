#!/usr/bin/env bash
set -euo pipefail
# --8<-- [start:compare]
uv run manage.py shell -v 0 < .runbook/restore-database/compare.py
# --8<-- [end:compare]

#!/usr/bin/env bash
set -euo pipefail
# --8<-- [start:reverse]
STEP=undo uv run manage.py shell -v 0 < .runbook/make-migration-reversible/reversible.py
# --8<-- [end:reverse]

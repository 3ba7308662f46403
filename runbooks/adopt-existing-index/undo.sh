#!/usr/bin/env bash
set -euo pipefail
# --8<-- [start:forget]
STEP=undo uv run manage.py shell -v 0 < .runbook/adopt-existing-index/index.py
# --8<-- [end:forget]

#!/usr/bin/env bash
set -euo pipefail
# --8<-- [start:ghosts]
STEP=fix uv run manage.py shell -v 0 < .runbook/prune-ghost-records/ghosts.py
# --8<-- [end:ghosts]

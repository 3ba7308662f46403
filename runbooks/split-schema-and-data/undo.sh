#!/usr/bin/env bash
set -euo pipefail
# --8<-- [start:join]
STEP=undo uv run manage.py shell -v 0 < .runbook/split-schema-and-data/split.py
# --8<-- [end:join]

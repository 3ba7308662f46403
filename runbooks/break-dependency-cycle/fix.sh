#!/usr/bin/env bash
set -euo pipefail
# --8<-- [start:move]
STEP=fix uv run manage.py shell -v 0 < .runbook/break-dependency-cycle/cycle.py
# --8<-- [end:move]
# --8<-- [start:record]
STEP=record uv run manage.py shell -v 0 < .runbook/break-dependency-cycle/cycle.py
# --8<-- [end:record]

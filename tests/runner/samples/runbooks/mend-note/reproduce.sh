#!/usr/bin/env bash
set -euo pipefail
# --8<-- [start:reproduce]
STEP=reproduce uv run manage.py shell -v 0 < .runbook/mend-note/mend.py
# --8<-- [end:reproduce]

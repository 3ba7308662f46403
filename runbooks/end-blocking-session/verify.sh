#!/usr/bin/env bash
set -euo pipefail
# --8<-- [start:look]
STEP=verify uv run manage.py shell -v 0 < .runbook/end-blocking-session/sessions.py
# --8<-- [end:look]

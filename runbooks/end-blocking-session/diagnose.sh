#!/usr/bin/env bash
set -euo pipefail
# --8<-- [start:look]
STEP=diagnose uv run manage.py shell -v 0 < .runbook/end-blocking-session/sessions.py
# --8<-- [end:look]

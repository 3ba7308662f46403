#!/usr/bin/env bash
set -euo pipefail
# --8<-- [start:adopt]
STEP=fix uv run manage.py shell -v 0 < .runbook/switch-to-custom-user/adopt.py
# --8<-- [end:adopt]

#!/usr/bin/env bash
set -euo pipefail
# --8<-- [start:write]
STEP=fix uv run manage.py shell -v 0 < .runbook/undo-wrong-fake/fake.py
# --8<-- [end:write]

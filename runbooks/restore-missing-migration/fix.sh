#!/usr/bin/env bash
set -euo pipefail
# --8<-- [start:bring-back]
STEP=fix uv run manage.py shell -v 0 < .runbook/restore-missing-migration/missing.py
# --8<-- [end:bring-back]

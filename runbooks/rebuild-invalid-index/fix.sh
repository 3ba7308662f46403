#!/usr/bin/env bash
set -euo pipefail
# --8<-- [start:rebuild]
STEP=fix uv run manage.py shell -v 0 < .runbook/rebuild-invalid-index/indexes.py
# --8<-- [end:rebuild]

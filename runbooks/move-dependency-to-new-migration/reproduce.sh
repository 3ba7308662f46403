#!/usr/bin/env bash
set -euo pipefail
# --8<-- [start:edit]
uv run manage.py migrate attendance 0007 --verbosity 0
sed -i '/dependencies = \[/a\        ("attendance", "0008_leave_request_approved_at"),' fees/migrations/0002_payment.py
# --8<-- [end:edit]

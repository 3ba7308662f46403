#!/usr/bin/env bash
set -euo pipefail
# --8<-- [start:edit]
uv run manage.py migrate attendance 0007 --verbosity 0
sed -i '/    operations = \[/i\    run_before = [("fees", "0002_payment")]\n' attendance/migrations/0008_leave_request_approved_at.py
# --8<-- [end:edit]

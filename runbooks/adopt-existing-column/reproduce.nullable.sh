#!/usr/bin/env bash
set -euo pipefail
# --8<-- [start:lose]
uv run manage.py shell -v 0 -c "
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder
MigrationRecorder(connection).record_unapplied('attendance', '0008_leave_request_approved_at')"
# --8<-- [end:lose]

#!/usr/bin/env bash
set -euo pipefail
# --8<-- [start:remove]
uv run manage.py shell -v 0 -c "
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder
recorder = MigrationRecorder(connection)
recorder.record_applied('transport', '0001_initial')
recorder.record_applied('transport', '0002_bus_driver')"
# --8<-- [end:remove]

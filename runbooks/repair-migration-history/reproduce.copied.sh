#!/usr/bin/env bash
set -euo pipefail
# --8<-- [start:copy]
uv run manage.py migrate fees 0010 --verbosity 0
uv run manage.py shell -v 0 -c "
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder
MigrationRecorder(connection).record_applied('fees', '0012_invoice_discount')"
# --8<-- [end:copy]

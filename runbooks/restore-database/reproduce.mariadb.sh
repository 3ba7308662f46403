#!/usr/bin/env bash
set -euo pipefail
# --8<-- [start:back-up]
mkdir -p .runbook/back-up-database
cp .runbook/restore-database/*.py .runbook/back-up-database/
BACKUP_DIR=backups uv run manage.py shell -v 0 < .runbook/back-up-database/back_up_mariadb.py
# --8<-- [end:back-up]
# --8<-- [start:damage]
uv run manage.py shell -v 0 <<'PYTHON'
from django.db import connection
with connection.cursor() as cursor:
    cursor.execute("UPDATE fees_invoice SET amount = 0")
    cursor.execute("DROP TABLE attendance_leaverequest")
PYTHON
# --8<-- [end:damage]

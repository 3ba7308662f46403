#!/usr/bin/env bash
set -euo pipefail
# --8<-- [start:wear-out]
uv run manage.py shell -v 0 -c "
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder
from fees.models import Invoice, Payment
with connection.cursor() as cursor:
    cursor.execute('CREATE TABLE fees_fine (id integer PRIMARY KEY)')
MigrationRecorder(connection).record_applied('fees', '0013_fine')
Payment.objects.all().delete()
Invoice.objects.update(amount=1)"
# --8<-- [end:wear-out]

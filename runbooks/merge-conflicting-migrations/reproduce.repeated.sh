#!/usr/bin/env bash
set -euo pipefail
# --8<-- [start:branches]
sed -i '/    due_on = /a\    reminded_on = models.DateField(null=True, blank=True)' fees/models.py
uv run manage.py makemigrations fees --name invoice_reminded_on --verbosity 0
uv run manage.py migrate fees --verbosity 0
cp fees/migrations/0013_invoice_reminded_on.py fees/migrations/0013_reminder_date.py
# --8<-- [end:branches]

#!/usr/bin/env bash
set -euo pipefail
# --8<-- [start:branches]
sed -i '/    due_on = /a\    reminded_on = models.DateField(null=True, blank=True)' fees/models.py
uv run manage.py makemigrations fees --name invoice_reminded_on --verbosity 0
uv run manage.py migrate fees --verbosity 0
sed -i '/    paid_at = /a\    channel = models.CharField(max_length=20, blank=True)' fees/models.py
uv run manage.py makemigrations fees --name payment_channel --verbosity 0
sed -i 's/0013_invoice_reminded_on/0012_invoice_discount/' fees/migrations/0014_payment_channel.py
mv fees/migrations/0014_payment_channel.py fees/migrations/0013_payment_channel.py
# --8<-- [end:branches]

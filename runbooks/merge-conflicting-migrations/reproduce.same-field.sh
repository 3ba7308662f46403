#!/usr/bin/env bash
set -euo pipefail
# --8<-- [start:branches]
sed -i '/    receipt_number = /s/20/30/' fees/models.py
uv run manage.py makemigrations fees --name alter_receipt_number --verbosity 0
uv run manage.py migrate fees --verbosity 0
sed -i '/    receipt_number = /s/30/40/' fees/models.py
uv run manage.py makemigrations fees --name longer_receipt_number --verbosity 0
sed -i 's/0013_alter_receipt_number/0012_invoice_discount/' fees/migrations/0014_longer_receipt_number.py
mv fees/migrations/0014_longer_receipt_number.py fees/migrations/0013_longer_receipt_number.py
# --8<-- [end:branches]

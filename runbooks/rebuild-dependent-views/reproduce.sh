#!/usr/bin/env bash
set -euo pipefail
# --8<-- [start:view]
uv run manage.py shell -v 0 -c "
from django.db import connection
statements = [
    'CREATE VIEW invoice_receipts AS SELECT invoice_id, receipt_number, amount FROM fees_payment',
    'CREATE VIEW receipt_totals AS SELECT invoice_id, count(receipt_number) AS receipts, sum(amount) AS paid FROM invoice_receipts GROUP BY invoice_id',
]
if connection.vendor == 'postgresql':
    statements += ['GRANT SELECT ON receipt_totals TO pg_monitor', \"COMMENT ON VIEW receipt_totals IS 'For the accountant''s report'\"]
with connection.cursor() as cursor:
    for statement in statements:
        cursor.execute(statement)"
sed -i 's/receipt_number = models.CharField(max_length=20/receipt_number = models.CharField(max_length=40/' fees/models.py
uv run manage.py makemigrations fees --name longer_receipt_number --verbosity 0
# --8<-- [end:view]

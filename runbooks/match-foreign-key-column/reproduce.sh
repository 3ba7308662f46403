#!/usr/bin/env bash
set -euo pipefail
# --8<-- [start:narrow]
uv run manage.py shell -v 0 -c "
from django.db import connection
key = 'fees_invoice_heads_feehead_id_d30a06db_fk_fees_feehead_id'
with connection.cursor() as cursor:
    cursor.execute(f'ALTER TABLE fees_invoice_heads DROP FOREIGN KEY {key}')
    cursor.execute('ALTER TABLE fees_feehead MODIFY id int NOT NULL AUTO_INCREMENT')
    cursor.execute('ALTER TABLE fees_invoice_heads MODIFY feehead_id int NOT NULL')
    cursor.execute(f'ALTER TABLE fees_invoice_heads ADD CONSTRAINT {key} FOREIGN KEY (feehead_id) REFERENCES fees_feehead (id)')"
cat >>fees/models.py <<'PYTHON'


class FeeRule(models.Model):
    """From when on a fee is charged."""

    head = models.ForeignKey(FeeHead, on_delete=models.CASCADE)
    begins_on = models.DateField()
PYTHON
uv run manage.py makemigrations fees --name fee_rule --verbosity 0
# --8<-- [end:narrow]

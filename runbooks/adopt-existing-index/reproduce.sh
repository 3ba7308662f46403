#!/usr/bin/env bash
set -euo pipefail
# --8<-- [start:make]
uv run manage.py shell -v 0 -c "
from django.db import connection
connection.cursor().execute('CREATE INDEX payment_paid_at_idx ON fees_payment (paid_at)')"
sed -i 's/        constraints = \[models.CheckConstraint(condition=models.Q(amount__gt=0)/        indexes = [models.Index(fields=["paid_at"], name="payment_paid_at_idx")]\n&/' fees/models.py
uv run manage.py makemigrations fees --name payment_paid_at_index --verbosity 0
# --8<-- [end:make]

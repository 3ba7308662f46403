#!/usr/bin/env bash
set -euo pipefail
# --8<-- [start:cancel]
sed -i 's/        constraints = \[models.CheckConstraint(condition=models.Q(amount__gt=0)/        indexes = [models.Index(fields=["paid_at"], name="payment_paid_at_idx")]\n&/' fees/models.py
cat >fees/migrations/0013_payment_paid_at_index.py <<'PYTHON'
from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False

    dependencies = [
        ("fees", "0012_invoice_discount"),
    ]

    operations = [
        AddIndexConcurrently(
            model_name="payment",
            index=models.Index(fields=["paid_at"], name="payment_paid_at_idx"),
        ),
    ]
PYTHON
uv run manage.py shell -v 0 <<'PYTHON'
from django.core.management import call_command
from django.db import OperationalError, connection

writer = connection.copy()
writer.cursor().execute("BEGIN; LOCK TABLE fees_payment IN ROW EXCLUSIVE MODE")
connection.cursor().execute("SET lock_timeout = '200ms'")
try:
    call_command("migrate", "fees", verbosity=0)
except OperationalError as error:
    print(error)
writer.close()
PYTHON
# --8<-- [end:cancel]

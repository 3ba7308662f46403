#!/usr/bin/env bash
set -euo pipefail
# --8<-- [start:fill]
sed -i '/    paid_at = /a\    channel = models.CharField(max_length=20, blank=True, default="")' fees/models.py
uv run manage.py makemigrations fees --name payment_channel --verbosity 0
cat >fees/migrations/0014_fill_payment_channel.py <<'PYTHON'
from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("fees", "0013_payment_channel")]

    operations = [
        migrations.RunSQL(
            """
            UPDATE fees_payment SET channel = 'online' WHERE receipt_number = '';
            UPDATE fees_payment SET channel = 'counter' WHERE receipt_number <> '';
            """,
            elidable=True,
        ),
    ]
PYTHON
uv run manage.py migrate fees --verbosity 0
# --8<-- [end:fill]

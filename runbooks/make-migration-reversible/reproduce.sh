#!/usr/bin/env bash
set -euo pipefail
# --8<-- [start:fill]
sed -i '/    paid_at = /a\    channel = models.CharField(max_length=20, blank=True, default="")' fees/models.py
uv run manage.py makemigrations fees --name payment_channel --verbosity 0
cat >fees/migrations/0014_fill_payment_channel.py <<'PYTHON'
from django.db import migrations


def fill_channel(apps, schema_editor):
    Payment = apps.get_model("fees", "Payment")
    payments = Payment.objects.using(schema_editor.connection.alias)
    payments.filter(receipt_number="").update(channel="online")
    payments.exclude(receipt_number="").update(channel="counter")


class Migration(migrations.Migration):
    dependencies = [("fees", "0013_payment_channel")]

    operations = [
        migrations.RunPython(fill_channel),
    ]
PYTHON
uv run manage.py migrate fees --verbosity 0
# --8<-- [end:fill]

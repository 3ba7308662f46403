#!/usr/bin/env bash
set -euo pipefail

cat > fees/migrations/0013_refund.py <<'PYTHON'
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("fees", "0012_invoice_discount")]

    operations = [
        migrations.CreateModel(
            name="Refund",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("amount", models.DecimalField(max_digits=10, decimal_places=2)),
            ],
        ),
        migrations.AddField("payment", "channel", models.CharField(max_length=10, null=True)),
    ]
PYTHON
sed -i '/    receipt_number = /i\    channel = models.CharField(max_length=10, null=True)' fees/models.py
cat >> fees/models.py <<'PYTHON'


class Refund(models.Model):
    """Money that was given back."""

    id = models.BigAutoField(primary_key=True)
    amount = models.DecimalField(max_digits=10, decimal_places=2)
PYTHON

#!/usr/bin/env bash
set -euo pipefail

cat > fees/migrations/0013_invoice_reminder.py <<'PYTHON'
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("fees", "0012_invoice_discount")]

    operations = [
        migrations.AddField("invoice", "reminder", models.DateField(null=True)),
    ]
PYTHON
sed -i '/    discount = models/a\    reminder = models.DateField(null=True)' fees/models.py

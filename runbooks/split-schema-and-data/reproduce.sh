#!/usr/bin/env bash
set -euo pipefail
# --8<-- [start:release]
cat > fees/migrations/0013_payments_of_the_office.py <<'PYTHON'
from django.db import migrations, models

OFFICE = "office"


def name_the_office(apps, schema_editor):
    """Payments that nobody is named for were taken by the office."""
    office, _ = apps.get_model("users", "User").objects.get_or_create(username=OFFICE)
    apps.get_model("fees", "Payment").objects.filter(received_by=None).update(received_by=office)


class Migration(migrations.Migration):
    dependencies = [
        ("fees", "0012_invoice_discount"),
        ("users", "0005_user_role_name_index"),
    ]

    operations = [
        migrations.RunPython(name_the_office, migrations.RunPython.noop),
        migrations.AlterField(
            model_name="payment",
            name="receipt_number",
            field=models.CharField(blank=True, max_length=30),
        ),
    ]
PYTHON
sed -i 's/receipt_number = .*/receipt_number = models.CharField(max_length=30, blank=True)/' fees/models.py
# --8<-- [end:release]

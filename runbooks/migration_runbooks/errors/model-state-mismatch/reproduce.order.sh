#!/usr/bin/env bash
set -euo pipefail
# The second file needs the model that the first one makes, and depends on the migration before both.
cat >> fees/models.py <<'PYTHON'


class Refund(models.Model):
    """Money given back."""

    payment = models.ForeignKey(Payment, on_delete=models.PROTECT)
    reason = models.TextField(blank=True)
PYTHON
cat > fees/migrations/0013_add_refund.py <<'PYTHON'
import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("fees", "0012_invoice_discount")]

    operations = [
        migrations.CreateModel(
            name="Refund",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("payment", models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, to="fees.payment")),
            ],
        ),
    ]
PYTHON
cat > fees/migrations/0013_reason_of_refund.py <<'PYTHON'
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("fees", "0012_invoice_discount")]

    operations = [
        migrations.AddField(model_name="refund", name="reason", field=models.TextField(blank=True)),
    ]
PYTHON
cat > fees/migrations/0014_merge.py <<'PYTHON'
from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("fees", "0013_add_refund"), ("fees", "0013_reason_of_refund")]

    operations = []
PYTHON

#!/usr/bin/env bash
set -euo pipefail
# --8<-- [start:release]
cat > fees/migrations/0013_late_fees_and_waivers.py <<'PYTHON'
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("fees", "0012_invoice_discount")]

    operations = [
        migrations.AddField("invoice", "late_fee", models.DecimalField(max_digits=8, decimal_places=2, default=0)),
        migrations.CreateModel(
            name="Waiver",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("reason", models.CharField(max_length=100)),
                ("invoice", models.ForeignKey("fees.Invoice", on_delete=models.CASCADE, related_name="waivers")),
            ],
        ),
    ]
PYTHON
cat >> fees/models.py <<'PYTHON'


class Waiver(models.Model):
    """A late fee that the school does not ask for."""

    id = models.BigAutoField(primary_key=True)
    reason = models.CharField(max_length=100)
    invoice = models.ForeignKey(Invoice, on_delete=models.CASCADE, related_name="waivers")
PYTHON
sed -i '/    discount = models/a\    late_fee = models.DecimalField(max_digits=8, decimal_places=2, default=0)' fees/models.py
uv run manage.py migrate fees --verbosity 0
# --8<-- [end:release]
# --8<-- [start:use]
uv run manage.py shell -v 0 <<'PYTHON'
from fees.models import Invoice, Waiver
for invoice in Invoice.objects.order_by("id")[:12]:
    Invoice.objects.filter(pk=invoice.pk).update(late_fee=invoice.pk * 10)
for invoice in Invoice.objects.order_by("id")[:3]:
    Waiver.objects.create(invoice=invoice, reason="Bank holiday")
PYTHON
# --8<-- [end:use]

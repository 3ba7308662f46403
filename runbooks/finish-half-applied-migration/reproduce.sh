#!/usr/bin/env bash
set -euo pipefail
# --8<-- [start:release]
cat > fees/migrations/0013_refund.py <<'PYTHON'
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("fees", "0012_invoice_discount")]

    operations = [
        migrations.AddField("payment", "channel", models.CharField(max_length=10, null=True)),
        migrations.CreateModel(
            name="Refund",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("amount", models.DecimalField(max_digits=10, decimal_places=2)),
                ("payment", models.ForeignKey("fees.Payment", on_delete=models.PROTECT, related_name="refunds")),
            ],
        ),
        migrations.AddConstraint(
            "payment",
            models.CheckConstraint(condition=models.Q(amount__lt=1000000), name="payment_amount_below_a_million"),
        ),
        migrations.AddIndex("payment", models.Index(fields=["channel"], name="payment_channel_idx")),
    ]
PYTHON
uv run manage.py shell -v 0 <<'PYTHON'
import re
from pathlib import Path

models = Path("fees/models.py")
text = models.read_text()
text = text.replace(
    "        constraints = [models.CheckConstraint(condition=models.Q(amount__gt=0), name=\"payment_amount_positive\")]\n",
    '''        constraints = [
            models.CheckConstraint(condition=models.Q(amount__gt=0), name="payment_amount_positive"),
            models.CheckConstraint(condition=models.Q(amount__lt=1000000), name="payment_amount_below_a_million"),
        ]
        indexes = [models.Index(fields=["channel"], name="payment_channel_idx")]
''',
)
text = text.replace("    receipt_number = ", "    channel = models.CharField(max_length=10, null=True)\n    receipt_number = ")
text += '''

class Refund(models.Model):
    """Money that was given back."""

    id = models.BigAutoField(primary_key=True)
    amount = models.DecimalField(max_digits=10, decimal_places=2)
    payment = models.ForeignKey(Payment, on_delete=models.PROTECT, related_name="refunds")
'''
models.write_text(text)
PYTHON
# --8<-- [end:release]
# --8<-- [start:fail]
uv run manage.py shell -v 0 -c "
from django.core.management import call_command
from django.db import DatabaseError, connection
with connection.cursor() as cursor:
    cursor.execute('SELECT amount FROM fees_payment WHERE id = 1')
    [amount] = cursor.fetchone()
    cursor.execute('UPDATE fees_payment SET amount = 2000000 WHERE id = 1')
    try:
        call_command('migrate', 'fees', verbosity=0)
    except DatabaseError as error:
        print(error)
    cursor.execute('UPDATE fees_payment SET amount = %s WHERE id = 1', [amount])"
# --8<-- [end:fail]

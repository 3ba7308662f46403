#!/usr/bin/env bash
set -euo pipefail
# Somebody renamed the field everywhere, also in the migration that was applied; another branch alters it by its old name.
sed -i 's/"discount"/"rebate"/' fees/migrations/0012_invoice_discount.py
sed -i 's/    discount = models.DecimalField(max_digits=10/    rebate = models.DecimalField(max_digits=12/' fees/models.py
sed -i 's/discount=Decimal/rebate=Decimal/; s/new\.discount/new.rebate/' fees/seed.py
cat > fees/migrations/0013_larger_discounts.py <<'PYTHON'
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("fees", "0012_invoice_discount")]

    operations = [
        migrations.AlterField(
            model_name="invoice",
            name="discount",
            field=models.DecimalField(decimal_places=2, default=0, max_digits=12),
        ),
    ]
PYTHON

#!/usr/bin/env bash
set -euo pipefail
sed -i 's/^    amount = models.DecimalField(max_digits=10, decimal_places=2)$/&\n    code = models.CharField(max_length=10, null=True, unique=True)/;' fees/models.py
python3 - <<'PYTHON'
from pathlib import Path

models = Path("fees/models.py")
line = "    code = models.CharField(max_length=10, null=True, unique=True)\n"
first, *rest = models.read_text().split(line)
models.write_text(first + line + "".join(rest))
PYTHON
cat >fees/migrations/0013_fee_head_code.py <<'PYTHON'
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("fees", "0012_invoice_discount"),
    ]

    operations = [
        migrations.RunSQL(
            "ALTER TABLE fees_feehead ADD COLUMN code varchar(10) NULL UNIQUE",
            state_operations=[
                migrations.AddField(
                    model_name="feehead",
                    name="code",
                    field=models.CharField(max_length=10, null=True, unique=True),
                ),
            ],
        ),
    ]
PYTHON
mkdir -p scripts
cat >scripts/prepare_database.py <<'PYTHON'
from django.core.management import call_command
from django.db import transaction

with transaction.atomic():
    call_command("migrate", verbosity=0)
    print("The database is ready.")
PYTHON

#!/usr/bin/env bash
set -euo pipefail

cat > fees/migrations/0013_refund.py <<'PYTHON'
import os
import time
from pathlib import Path

from django.db import migrations, models

SIGNS = Path(".runbook")


def begin(apps, schema_editor):
    """Leaves a line, so that whoever waits can see how many processes run this."""
    SIGNS.mkdir(exist_ok=True)
    with (SIGNS / "migrators").open("a") as lines:
        lines.write(f"{os.getpid()}\n")
    apps.get_model("fees", "FeeHead").objects.create(name="Refund of a fee", amount=0)


def work(apps, schema_editor):
    """Takes as long as nobody makes the file `.runbook/go`, two minutes at most."""
    for _ in range(1200):
        if (SIGNS / "go").exists():
            break
        time.sleep(0.1)


def forget(apps, schema_editor):
    apps.get_model("fees", "FeeHead").objects.filter(name="Refund of a fee").delete()


class Migration(migrations.Migration):
    dependencies = [("fees", "0012_invoice_discount")]

    operations = [
        migrations.RunPython(begin, forget),
        migrations.CreateModel(
            name="Refund",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("amount", models.DecimalField(max_digits=10, decimal_places=2)),
            ],
        ),
        migrations.RunPython(work, migrations.RunPython.noop),
    ]
PYTHON
cat >> fees/models.py <<'PYTHON'


class Refund(models.Model):
    """Money that was given back."""

    id = models.BigAutoField(primary_key=True)
    amount = models.DecimalField(max_digits=10, decimal_places=2)
PYTHON

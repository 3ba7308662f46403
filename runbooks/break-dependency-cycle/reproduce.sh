#!/usr/bin/env bash
set -euo pipefail
# --8<-- [start:edit]
sed -i '/    student = /a\    fee_invoice = models.ForeignKey("fees.Invoice", null=True, blank=True, on_delete=models.SET_NULL, related_name="+")' admissions/models.py
sed -i '/    dependencies = \[/a\        ("fees", "0012_invoice_discount"),' admissions/migrations/0003_application_student.py
sed -i '/    operations = \[/r /dev/stdin' admissions/migrations/0003_application_student.py <<'OPERATION'
        migrations.AddField(
            model_name="application",
            name="fee_invoice",
            field=models.ForeignKey(
                blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name="+", to="fees.invoice"
            ),
        ),
OPERATION
# --8<-- [end:edit]

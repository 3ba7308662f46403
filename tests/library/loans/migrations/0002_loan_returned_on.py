from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("loans", "0001_initial")]
    operations = [
        migrations.AddField(model_name="loan", name="returned_on", field=models.DateField(null=True)),
        migrations.AddConstraint(
            model_name="loan",
            constraint=models.CheckConstraint(
                condition=models.Q(("due_on__gte", models.F("lent_on"))), name="loan_due_after_lent"
            ),
        ),
    ]

#!/usr/bin/env bash
set -euo pipefail
# The links have a model of their own, with a column of their own; then somebody takes it away again.
sed -i 's/    students = models.ManyToManyField("students.Student", blank=True, /&through="Award", /' fees/models.py
cat >> fees/models.py <<'PYTHON'


class Award(models.Model):
    """A scholarship that was given to one student."""

    scholarship = models.ForeignKey(Scholarship, on_delete=models.CASCADE)
    student = models.ForeignKey("students.Student", on_delete=models.CASCADE)

    class Meta:
        db_table = "fees_scholarship_students"
        unique_together = [("scholarship", "student")]
PYTHON
cat > fees/migrations/0013_award.py <<'PYTHON'
import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("fees", "0012_invoice_discount"), ("students", "0009_student_class_name_index")]

    operations = [
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.CreateModel(
                    name="Award",
                    fields=[
                        ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                        ("scholarship", models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to="fees.scholarship")),
                        ("student", models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to="students.student")),
                    ],
                    options={"db_table": "fees_scholarship_students", "unique_together": {("scholarship", "student")}},
                ),
                migrations.AlterField(
                    model_name="scholarship",
                    name="students",
                    field=models.ManyToManyField(
                        blank=True, related_name="scholarships", through="fees.Award", to="students.student"
                    ),
                ),
            ]
        )
    ]
PYTHON
uv run manage.py migrate --verbosity 0
sed -i 's/through="Award", //; /^class Award/,$d' fees/models.py
uv run manage.py makemigrations fees --name no_award --no-header --verbosity 0

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("students", "0003_student_guardians"),
    ]

    operations = [
        migrations.CreateModel(
            name="Application",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("applicant_name", models.CharField(max_length=100)),
                ("applied_on", models.DateField()),
                (
                    "state",
                    models.CharField(
                        choices=[("received", "Received"), ("accepted", "Accepted"), ("refused", "Refused")],
                        default="received",
                        max_length=10,
                    ),
                ),
                (
                    "school_class",
                    models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, to="students.schoolclass"),
                ),
            ],
        ),
    ]

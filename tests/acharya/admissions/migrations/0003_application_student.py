import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("admissions", "0002_document"),
        ("students", "0006_require_admission_number"),
    ]

    operations = [
        migrations.AddField(
            model_name="application",
            name="student",
            field=models.OneToOneField(
                blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, to="students.student"
            ),
        ),
    ]

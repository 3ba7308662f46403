import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("students", "0006_require_admission_number"),
    ]

    operations = [
        migrations.AddField(
            model_name="student",
            name="older_sibling",
            field=models.ForeignKey(
                blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, to="students.student"
            ),
        ),
    ]

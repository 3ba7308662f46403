import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("admissions", "0006_rename_state_to_status"),
        ("fees", "0002_payment"),
    ]

    operations = [
        migrations.AddField(
            model_name="invoice",
            name="application",
            field=models.ForeignKey(
                blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, to="admissions.application"
            ),
        ),
    ]

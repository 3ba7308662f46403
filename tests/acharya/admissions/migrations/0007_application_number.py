from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("admissions", "0006_rename_state_to_status"),
    ]

    operations = [
        migrations.AddField(
            model_name="application",
            name="number",
            field=models.CharField(max_length=12, null=True),
        ),
    ]

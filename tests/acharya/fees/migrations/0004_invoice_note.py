from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("fees", "0003_invoice_application"),
    ]

    operations = [
        migrations.AddField(
            model_name="invoice",
            name="note",
            field=models.TextField(blank=True, null=True),
        ),
    ]

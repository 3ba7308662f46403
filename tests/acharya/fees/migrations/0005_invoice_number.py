from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("fees", "0004_invoice_note"),
    ]

    operations = [
        migrations.AddField(
            model_name="invoice",
            name="number",
            field=models.CharField(max_length=12, null=True),
        ),
    ]

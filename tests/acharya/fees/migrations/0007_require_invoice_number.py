from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("fees", "0006_number_existing_invoices"),
    ]

    operations = [
        migrations.AlterField(
            model_name="invoice",
            name="number",
            field=models.CharField(max_length=12, unique=True),
        ),
    ]

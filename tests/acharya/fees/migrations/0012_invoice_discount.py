from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("fees", "0011_payment_received_by"),
    ]

    operations = [
        migrations.AddField(
            model_name="invoice",
            name="discount",
            field=models.DecimalField(decimal_places=2, default=0, max_digits=10),
        ),
    ]

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("fees", "0007_require_invoice_number"),
    ]

    operations = [
        migrations.AddConstraint(
            model_name="payment",
            constraint=models.CheckConstraint(condition=models.Q(("amount__gt", 0)), name="payment_amount_positive"),
        ),
    ]

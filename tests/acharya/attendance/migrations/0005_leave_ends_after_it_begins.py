from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("attendance", "0004_leave_request"),
        ("students", "0008_one_class_per_name_and_year"),
    ]

    operations = [
        migrations.AddConstraint(
            model_name="leaverequest",
            constraint=models.CheckConstraint(
                condition=models.Q(("last_day__gte", models.F("first_day"))), name="leave_ends_after_it_begins"
            ),
        ),
    ]

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("attendance", "0005_leave_ends_after_it_begins"),
    ]

    operations = [
        migrations.AlterField(
            model_name="record",
            name="mark",
            field=models.CharField(
                choices=[("present", "Present"), ("absent", "Absent"), ("late", "Late")], max_length=10
            ),
        ),
    ]

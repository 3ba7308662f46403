from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("admissions", "0003_application_student"),
    ]

    operations = [
        migrations.AddField(
            model_name="application",
            name="previous_school",
            field=models.CharField(blank=True, max_length=200),
        ),
    ]

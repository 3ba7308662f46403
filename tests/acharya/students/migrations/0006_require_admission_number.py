from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("students", "0005_fill_admission_numbers"),
    ]

    operations = [
        migrations.AlterField(
            model_name="student",
            name="admission_number",
            field=models.CharField(max_length=12, unique=True),
        ),
    ]

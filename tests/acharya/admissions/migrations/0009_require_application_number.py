from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("admissions", "0008_number_existing_applications"),
    ]

    operations = [
        migrations.AlterField(
            model_name="application",
            name="number",
            field=models.CharField(max_length=12, unique=True),
        ),
    ]

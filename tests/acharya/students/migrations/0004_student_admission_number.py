from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("students", "0003_student_guardians"),
    ]

    operations = [
        migrations.AddField(
            model_name="student",
            name="admission_number",
            field=models.CharField(max_length=12, null=True),
        ),
    ]

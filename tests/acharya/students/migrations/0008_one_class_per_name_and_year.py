from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("students", "0007_student_older_sibling"),
    ]

    operations = [
        migrations.AddConstraint(
            model_name="schoolclass",
            constraint=models.UniqueConstraint(fields=("name", "year"), name="one_class_per_name_and_year"),
        ),
    ]

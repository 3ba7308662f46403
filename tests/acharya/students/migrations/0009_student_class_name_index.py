from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("students", "0008_one_class_per_name_and_year"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddIndex(
            model_name="student",
            index=models.Index(fields=["school_class", "full_name"], name="student_class_name_idx"),
        ),
    ]

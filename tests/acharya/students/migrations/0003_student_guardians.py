from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("students", "0002_student_user"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name="student",
            name="guardians",
            field=models.ManyToManyField(blank=True, related_name="children", to=settings.AUTH_USER_MODEL),
        ),
    ]

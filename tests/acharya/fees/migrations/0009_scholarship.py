from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("fees", "0008_payment_amount_positive"),
        ("students", "0008_one_class_per_name_and_year"),
    ]

    operations = [
        migrations.CreateModel(
            name="Scholarship",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=50, unique=True)),
                ("percent", models.PositiveSmallIntegerField()),
                ("students", models.ManyToManyField(blank=True, related_name="scholarships", to="students.student")),
            ],
        ),
    ]

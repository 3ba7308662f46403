from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("admissions", "0009_require_application_number"),
        ("fees", "0009_scholarship"),
        ("students", "0008_one_class_per_name_and_year"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="invoice",
            index=models.Index(fields=["student", "due_on"], name="invoice_student_due_idx"),
        ),
    ]

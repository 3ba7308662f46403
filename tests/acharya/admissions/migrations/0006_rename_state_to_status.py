from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [
        ("admissions", "0005_merge_previous_school_and_verified_by"),
    ]

    operations = [
        migrations.RenameField(
            model_name="application",
            old_name="state",
            new_name="status",
        ),
    ]

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [
        ("users", "0002_user_phone"),
    ]

    operations = [
        migrations.RenameField(
            model_name="user",
            old_name="phone",
            new_name="phone_number",
        ),
    ]

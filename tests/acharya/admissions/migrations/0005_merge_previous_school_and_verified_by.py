from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [
        ("admissions", "0004_application_previous_school"),
        ("admissions", "0004_document_verified_by"),
    ]

    operations = []

from django.db import migrations


def number_applications(apps, schema_editor):
    """Number the applications that came in before applications had numbers."""
    Application = apps.get_model("admissions", "Application")
    unnumbered = Application.objects.using(schema_editor.connection.alias).filter(number=None)
    for pk in unnumbered.values_list("pk", flat=True):
        unnumbered.filter(pk=pk).update(number=f"A{pk:05}")


class Migration(migrations.Migration):
    dependencies = [
        ("admissions", "0007_application_number"),
    ]

    operations = [
        # Nothing to take back: the migration before this one removes the whole column.
        migrations.RunPython(number_applications, migrations.RunPython.noop),
    ]

from django.db import migrations


def fill_admission_numbers(apps, schema_editor):
    """Give every student without an admission number the one that the old register used."""
    Student = apps.get_model("students", "Student")
    unnumbered = Student.objects.using(schema_editor.connection.alias).filter(admission_number=None)
    for pk in unnumbered.values_list("pk", flat=True):
        unnumbered.filter(pk=pk).update(admission_number=f"S{pk:05}")


class Migration(migrations.Migration):
    dependencies = [
        ("students", "0004_student_admission_number"),
    ]

    operations = [
        # Nothing to take back: the migration before this one removes the whole column.
        migrations.RunPython(fill_admission_numbers, migrations.RunPython.noop),
    ]

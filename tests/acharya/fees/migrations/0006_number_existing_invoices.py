from django.db import migrations


def number_invoices(apps, schema_editor):
    """Number the invoices that were written before invoices had numbers."""
    Invoice = apps.get_model("fees", "Invoice")
    unnumbered = Invoice.objects.using(schema_editor.connection.alias).filter(number=None)
    for pk in unnumbered.values_list("pk", flat=True):
        unnumbered.filter(pk=pk).update(number=f"F{pk:05}")


class Migration(migrations.Migration):
    dependencies = [
        ("fees", "0005_invoice_number"),
    ]

    operations = [
        # Nothing to take back: the migration before this one removes the whole column.
        migrations.RunPython(number_invoices, migrations.RunPython.noop),
    ]

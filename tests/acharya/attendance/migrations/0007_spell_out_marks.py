from django.db import migrations

WORD_OF_LETTER = {"P": "present", "A": "absent", "L": "late"}


def spell_out(apps, schema_editor):
    """Replace the register's letters by words."""
    replace_marks(apps, schema_editor, WORD_OF_LETTER)


def abbreviate(apps, schema_editor):
    """Replace the words by the register's letters."""
    replace_marks(apps, schema_editor, {word: letter for letter, word in WORD_OF_LETTER.items()})


def replace_marks(apps, schema_editor, new_marks):
    records = apps.get_model("attendance", "Record").objects.using(schema_editor.connection.alias)
    for old, new in new_marks.items():
        records.filter(mark=old).update(mark=new)


class Migration(migrations.Migration):
    dependencies = [
        ("attendance", "0006_widen_mark"),
    ]

    operations = [
        migrations.RunPython(spell_out, abbreviate),
    ]

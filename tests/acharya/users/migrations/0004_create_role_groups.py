from django.db import migrations

ROLE_GROUPS = ["Teachers", "Office"]


def create_groups(apps, schema_editor):
    """Create the groups that carry permissions; an existing group of that name is kept as it is."""
    groups = apps.get_model("auth", "Group").objects.using(schema_editor.connection.alias)
    for name in ROLE_GROUPS:
        groups.get_or_create(name=name)


def delete_empty_groups(apps, schema_editor):
    """Delete the groups again, except those that somebody is a member of."""
    groups = apps.get_model("auth", "Group").objects.using(schema_editor.connection.alias)
    groups.filter(name__in=ROLE_GROUPS, user=None).delete()


class Migration(migrations.Migration):
    dependencies = [
        ("auth", "0012_alter_user_first_name_max_length"),
        ("users", "0003_rename_phone_to_phone_number"),
    ]

    operations = [
        migrations.RunPython(create_groups, delete_empty_groups),
    ]

"""Lets the custom user model take over the table of auth.User, with everyone in it. STEP says what to do."""

import os
import sys
from pathlib import Path

from django.apps import apps
from django.conf import settings
from django.contrib.auth.models import Permission
from django.contrib.contenttypes.models import ContentType
from django.db import connections, migrations, models, transaction
from django.db.migrations.autodetector import MigrationAutodetector
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.operations.fields import FieldOperation
from django.db.migrations.operations.models import IndexOperation, ModelOperation
from django.db.migrations.recorder import MigrationRecorder
from django.db.migrations.state import ProjectState
from django.db.migrations.writer import MigrationWriter
from django.db.models.fields import AutoFieldMixin

connection = connections[os.environ.get("RUNBOOK_DATABASE", "default")]
TABLE = "auth_user"
NEXT = "own_table"
"""The name of the second migration, after its number."""
KEPT = Path(".runbook/switch-to-custom-user/kept")


class Refusal(Exception):
    """What can't be done, and what to do instead. Nothing was changed."""


def read_project():
    global app, model, key, loader, recorded, own, first, tables
    app, key = settings.AUTH_USER_MODEL.split(".")[0], tuple(settings.AUTH_USER_MODEL.lower().split("."))
    model = apps.get_model(settings.AUTH_USER_MODEL, require_ready=False)
    loader = MigrationLoader(connection, ignore_no_migrations=True)
    recorded, own = set(loader.applied_migrations), {name for label, name in loader.disk_migrations if label == app}
    tables = set(connection.introspection.table_names())
    if not own:
        raise Refusal(f"{app} has no migration yet. Run `uv run manage.py makemigrations {app}` first.")
    first = loader.graph.root_nodes(app)[0]


def count(table):
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT COUNT(*) FROM {connection.ops.quote_name(table)}")
        return cursor.fetchone()[0]


def columns_of(table):
    with connection.cursor() as cursor:
        return {column.name for column in connection.introspection.get_table_description(cursor, table)}


def pointing_to(table):
    """table.column of every foreign key to `table` that the database knows."""
    with connection.cursor() as cursor:
        return sorted(
            f"{other}.{constraint['columns'][0]}"
            for other in tables
            for constraint in connection.introspection.get_constraints(cursor, other).values()
            if constraint["foreign_key"] and constraint["foreign_key"][0] == table
        )


def first_state():
    """The user model after the first migration of its app, or None when a later one makes it."""
    return loader.project_state([first]).models.get((app, key[1]))


def uses_table(user):
    return user is not None and user.options.get("db_table") == TABLE


def adopts():
    """Whether the first migration says that the model lies in the table of auth.User, and has its fields alone."""
    user = first_state()
    return uses_table(user) and user.fields.keys() == users_so_far()[0].fields.keys()


def is_broken():
    """The users are in auth_user, and the migration that would make another, empty table was not applied yet."""
    return key != ("auth", "user") and TABLE in tables and first not in recorded


def is_split():
    """There are two user tables: the custom model was migrated beside auth_user."""
    return key != ("auth", "user") and TABLE in tables and first in recorded and not uses_table(first_state())


# --- what would not survive the switch --------------------------------------------------------------------------------


def users_so_far():
    """The model state of auth.User after the migrations of auth that were applied here, and the last of them."""
    applied = [node for node in loader.graph.nodes if node[0] == "auth" and node in recorded]
    last = next(node for node in applied if not any(child.key in applied for child in loader.graph.node_map[node].children))
    return loader.project_state(applied).models["auth", "user"], last


def problems():
    return [*problems_of_database(), *([] if adopts() else [*problems_of_migrations(), *problems_of_model()])]


def problems_of_database():
    own_table = model._meta.db_table
    if own_table != TABLE and own_table in tables:
        yield f"the table {own_table} is there already, with {count(own_table)} rows: `migrate` made it. Restore the backup from before."
    if ContentType.objects.using(connection.alias).filter(app_label=app, model=key[1]).exists():
        yield f"there is a content type {app}.{key[1]} already: `migrate` made it. Restore the backup from before."


def problems_of_migrations():
    if len(own) > 1:
        yield f"{app} has {len(own)} migrations that were never applied, and one can be replaced. Put them into one: {' '.join(sorted(own))}"
    for operation in loader.disk_migrations[first].operations:
        if not isinstance(operation, (ModelOperation, FieldOperation, IndexOperation)):
            yield f"{type(operation).__name__} in {first[1]} would be lost. Take it out, and put it into a migration after the switch."
    relations = loader.project_state().relations
    for others in (by for to, by in relations.items() if to[0] == app and to != (app, key[1])):
        yield from (f"{label}.{name} points to another model of {app} than the user. Add that field after the switch."
                    for label, name in others if label not in (app, "auth", "contenttypes"))


def problems_of_model():
    before = users_so_far()[0].fields
    now = {field.name: field for field in [*model._meta.local_fields, *model._meta.local_many_to_many]}
    if lost := [name for name in before if name not in now]:
        yield f"{model.__name__} lacks what auth.User has, whose values would be lost: {' '.join(lost)}. Keep them, and remove them after the switch."
    if not isinstance(model._meta.pk, AutoFieldMixin) or model._meta.pk.name != "id":
        yield f"the primary key of {model.__name__} is no number that counts up, as the one of auth.User. Keep `id`."
    for name, field in now.items():
        empty = field.null or field.has_default() or field.many_to_many or (field.blank and field.empty_strings_allowed)
        if name not in before and not empty and getattr(field, "db_default", models.NOT_PROVIDED) is models.NOT_PROVIDED:
            yield f"{model.__name__}.{name} has no value for the users there are. Give it a default, or null=True."


# --- the two migrations -----------------------------------------------------------------------------------------------


def adopting_migration():
    """The first migration of the app: the custom model with the columns, and in the table, of auth.User."""
    user, last = users_so_far()
    options = {name: value for name, value in user.options.items() if value and name != "swappable"}
    migration = migrations.Migration(first[1], app)
    migration.initial, migration.dependencies = True, [last]
    fields = [(name, field.clone()) for name, field in user.fields.items()]
    migration.operations = [migrations.CreateModel(model.__name__, fields, {**options, "db_table": TABLE}, managers=user.managers)]
    return migration


def following_migrations():
    """What leads from the table of auth.User to the model as it is written: `makemigrations` would find the same."""
    state = loader.project_state()
    if not adopts():
        for name in [name for label, name in state.models if label == app]:
            state.remove_model(app, name)
        adopting_migration().operations[0].state_forwards(app, state)
    changes = MigrationAutodetector(state, ProjectState.from_apps(apps)).changes(loader.graph, trim_to_apps={app}, migration_name=NEXT)
    return changes.get(app, [])


def file_of(name):
    return Path(sys.modules[loader.disk_migrations[first].__module__].__file__).with_name(f"{name}.py")


def shown(path):
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path


def replace(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    whole = path.with_name(path.name + ".new")
    whole.write_text(text)
    os.replace(whole, path)


def write_files():
    texts = {} if adopts() else {first[1]: MigrationWriter(adopting_migration(), include_header=False).as_string()}
    texts |= {each.name: MigrationWriter(each, include_header=False).as_string() for each in following_migrations()}
    if first[1] in texts:
        replace(KEPT / f"{first[1]}.py", file_of(first[1]).read_text())
    for name, text in texts.items():
        replace(file_of(name), text)
        print(f"Wrote {shown(file_of(name))}")


# --- the rows ---------------------------------------------------------------------------------------------------------


def rename_columns(old, new):
    """In the tables of groups and permissions, whose column is named after the model. Does nothing where that was done."""
    quote = connection.ops.quote_name
    for table in (f"{TABLE}_groups", f"{TABLE}_user_permissions"):
        if old != new and f"{old}_id" in columns_of(table):
            with connection.cursor() as cursor:
                cursor.execute(f"ALTER TABLE {quote(table)} RENAME COLUMN {quote(f'{old}_id')} TO {quote(f'{new}_id')}")


def move_rows(old, new, write_history):
    """The content type keeps its id, so permissions, and the admin's log about users, follow it."""
    with transaction.atomic(using=connection.alias):
        rename_columns(old[1], new[1])  # first, since MariaDB ends a transaction here
        kinds = ContentType.objects.using(connection.alias).filter(app_label=old[0], model=old[1])
        for right in Permission.objects.using(connection.alias).filter(content_type__in=kinds, codename__endswith=f"_{old[1]}"):
            right.codename = f"{right.codename.removesuffix(old[1])}{new[1]}"
            right.save(update_fields=["codename"])
        kinds.update(app_label=new[0], model=new[1])
        write_history(*first)


# --- the steps --------------------------------------------------------------------------------------------------------


def diagnose():
    """0: one user table. 1: the users are in auth_user, and the fix can adopt it. 2: it can't, and why."""
    if is_split():
        print(f"Can't tell: {TABLE} holds {count(TABLE)} users, {model._meta.db_table} holds {count(model._meta.db_table)}: both are user tables.")
        return 2
    if not is_broken():
        print(f"Healthy: {settings.AUTH_USER_MODEL} is the user model, and there is one table for it.")
        return 0
    print(f"AUTH_USER_MODEL is {settings.AUTH_USER_MODEL}, but {'.'.join(first)} was never applied: {count(TABLE)} users are in {TABLE}.")
    print("These columns point to them:", *pointing_to(TABLE), sep="\n  ")
    if found := problems():
        print("The fix would refuse:", *found, sep="\n  ")
        return 2
    print(f"{first[1]} will adopt the table. Then `migrate` can do what is left:")
    print(*[f"  {operation.describe()}" for each in following_migrations() for operation in each.operations], sep="\n")
    print(f"USER_MODEL={settings.AUTH_USER_MODEL}\nMIGRATION={first[1]}")
    return 1


def check_inputs():
    if (os.environ["USER_MODEL"], os.environ["MIGRATION"]) != (settings.AUTH_USER_MODEL, first[1]):
        raise Refusal("USER_MODEL and MIGRATION are not what diagnose finds. Run diagnose again.")


def fix():
    if not is_broken() and not is_split():
        print("Nothing to do: there is one user table.")
        return 0
    check_inputs()
    if is_split() or problems():
        raise Refusal("\n  ".join(["this project does not fit.", *(problems() if is_broken() else ["There are two user tables."])]))
    write_files()
    move_rows(("auth", "user"), key, MigrationRecorder(connection).record_applied)
    print(f"Recorded {'.'.join(first)}; the content type auth.user is {'.'.join(key)} now. {count(TABLE)} users are where they were.")
    return 0


def undo():
    check_inputs()
    kept = KEPT / f"{first[1]}.py"
    if later := sorted(name for label, name in recorded if label == app and name != first[1]):
        raise Refusal(f"{later[-1]} is applied. Run `uv run manage.py migrate {app} {first[1]}` first: it drops the new columns with their values.")
    if first in recorded:
        if not adopts():
            raise Refusal(f"{'.'.join(first)} did not adopt {TABLE}.")
        move_rows(key, ("auth", "user"), MigrationRecorder(connection).record_unapplied)
    if kept.exists():
        for name in own - {first[1]}:
            if name.endswith(f"_{NEXT}"):
                file_of(name).unlink()
        replace(file_of(first[1]), kept.read_text())
    print("Files and rows are as they were before the fix.")
    return 0


def verify():
    wrong = []
    if is_broken() or is_split():
        wrong.append(f"{settings.AUTH_USER_MODEL} does not have the users that are in {TABLE}.")
    elif key != ("auth", "user"):
        kinds = ContentType.objects.using(connection.alias)
        if kinds.filter(app_label="auth", model="user").exists() or not kinds.filter(app_label=app, model=key[1]).exists():
            wrong.append(f"the content type is not {'.'.join(key)}.")
        done = [node for node in loader.graph.nodes if node[0] == app and node in recorded]
        user = loader.project_state(done).apps.get_model(app, key[1])
        for each in (user, *(field.remote_field.through for field in user._meta.local_many_to_many)):
            if (names := {field.column for field in each._meta.local_concrete_fields}) != columns_of(each._meta.db_table):
                wrong.append(f"{each._meta.db_table} has other columns than {' '.join(sorted(names))}.")
        loader.check_consistent_history(connection)
    print(*wrong or [f"The history is consistent, and {settings.AUTH_USER_MODEL} has every user."], sep="\n")
    return 1 if wrong else 0


def run(step):
    try:
        read_project()
        return step()
    except Refusal as refusal:
        print(f"Refused, nothing was changed: {refusal}", file=sys.stderr)
        return 2 if step is diagnose else 1
    except Exception as error:
        print(f"Can't tell: {type(error).__name__}: {error}", file=sys.stderr)
        return 2


sys.exit(run({"diagnose": diagnose, "fix": fix, "undo": undo, "verify": verify}[os.environ["STEP"]]))

"""Finds an app whose label was changed after it was migrated, and gives its rows and tables the new label. STEP says what to do."""

import os
import sys

from django.contrib.contenttypes.models import ContentType
from django.db import connections, transaction
from django.db.backends.utils import truncate_name
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder

connection = connections[os.environ.get("RUNBOOK_DATABASE", "default")]
quote = connection.ops.quote_name


class Refusal(Exception):
    """What can't be done, and why. Nothing was changed."""


def read_project():
    global loader, recorded, labels, tables, history
    loader = MigrationLoader(connection)
    recorded, labels = set(loader.applied_migrations), loader.migrated_apps | loader.unmigrated_apps
    tables = set(connection.introspection.table_names())
    history = MigrationRecorder(connection).migration_qs


def names(label, keys):
    return {name for app, name in keys if app == label}


def renamed_apps():
    """Each (old, new): rows of a label that is no app, and an app with migrations of these names whose tables have the old label."""
    return sorted(
        (old, new)
        for old in {label for label, _ in recorded} - labels
        for new in loader.migrated_apps
        if names(old, recorded) & names(new, loader.disk_migrations) and is_there(tables_of(new, old, old, new), old, new)
    )


def is_there(pairs, old, new):
    """Whether the tables of the app have the old label, or have the new one since a fix that was cut off."""
    own_rows = names(new, recorded)
    if not pairs:  # every model states its table's name: the names of the migrations must do
        return not own_rows and names(old, recorded) <= names(new, loader.disk_migrations)
    return all(before in tables or (after in tables and not own_rows) for before, after in pairs.items())


# --- tables -----------------------------------------------------------------------------------------------------------


def models_of(app, label):
    """The models of `app`, many-to-many tables too, after those of its migrations that are recorded under `label`."""
    done = names(label, recorded)
    replaced = {key: {name for _, name in migration.replaces} for key, migration in loader.replacements.items()}
    keys = [key for key in loader.graph.nodes if key[0] == app and (key[1] in done or replaced.get(key, {""}) <= done)]
    every = loader.project_state(keys).apps.get_models(include_auto_created=True) if keys else []
    return [model for model in every if model._meta.app_label == app and is_table(model._meta)]


def is_table(options):
    return options.managed and not options.proxy and not options.swapped


def table_name(model, label):
    """The table of the model when its app has this label, by Django's rule; the model's own name for it comes first."""
    owner, longest = model._meta.auto_created, connection.ops.max_name_length()
    if not owner:
        return model._meta.original_attrs.get("db_table") or truncate_name(f"{label}_{model._meta.model_name}", longest)
    field = next(each for each in owner._meta.local_many_to_many if each.remote_field.through is model)
    return field.db_table or truncate_name(f"{table_name(owner, label)}_{field.name}", longest)


def tables_of(app, recorded_as, before, after):
    """{name under the label `before`: name under the label `after`} of every table whose name holds the label."""
    pairs = {table_name(model, before): table_name(model, after) for model in models_of(app, recorded_as)}
    return {old: new for old, new in pairs.items() if old != new}


def renames(pairs):
    """What is left to do: a table that has its new name already was renamed before this run was cut off."""
    done = {before: after for before, after in pairs.items() if before in tables}
    if both := [after for after in done.values() if after in tables]:
        raise Refusal(f"these tables are there already, `migrate` made them: {' '.join(sorted(both))}. Restore the backup from before.")
    if lost := [before for before, after in pairs.items() if before not in tables and after not in tables]:
        raise Refusal(f"no such table: {' '.join(sorted(lost))}")
    return done


def rename_tables(pairs):
    """On MariaDB one statement for all of them, since each statement there is a transaction of its own."""
    with connection.cursor() as cursor:
        if connection.vendor == "mysql" and pairs:
            cursor.execute("RENAME TABLE " + ", ".join(f"{quote(before)} TO {quote(after)}" for before, after in sorted(pairs.items())))
        else:
            for before, after in sorted(pairs.items()):
                cursor.execute(f"ALTER TABLE {quote(before)} RENAME TO {quote(after)}")


# --- rows -------------------------------------------------------------------------------------------------------------


def content_types(label):
    return ContentType.objects.using(connection.alias).filter(app_label=label)


def move(old, new, pairs):
    """Tables, then content types and history, in one transaction; on MariaDB the tables are a transaction of their own."""
    if both := set(content_types(old).values_list("model", flat=True)) & set(content_types(new).values_list("model", flat=True)):
        raise Refusal(f"content types of {new} are there already, `migrate` made them: {' '.join(sorted(both))}. Restore the backup from before.")
    left = renames(pairs)
    with transaction.atomic(using=connection.alias):
        rename_tables(left)
        content_types(old).update(app_label=new)
        return left, history.filter(app=old).update(app=new)


# --- the steps --------------------------------------------------------------------------------------------------------


def diagnose():
    """0: every recorded app is there. 1: an app was renamed. 2: it was, and migrated under the new label since."""
    found = renamed_apps()
    if not found:
        print("No app was renamed: the rows of django_migrations name apps that are there.")
        return 0
    old, new = found[0]
    print(f"django_migrations has {len(names(old, recorded))} rows of {old}, which is no app; {new} has migrations of these names.")
    if len({label for label, _ in found}) < len(found):
        print("Can't tell which of these is the new label:", *[f"{a} to {b}" for a, b in found], sep="\n  ")
        return 2
    if names(new, recorded):
        raise Refusal(f"{new} has rows of its own in django_migrations: it was migrated since. Restore the backup from before.")
    print(f"These content types become those of {new}: {' '.join(sorted(content_types(old).values_list('model', flat=True)))}\nThese tables are renamed:")
    print(*[f"  {before} to {after}" for before, after in sorted(renames(tables_of(new, old, old, new)).items())] or ["  none"], sep="\n")
    print(f"OLD_APP={old}\nNEW_APP={new}")
    return 1


def fix():
    old, new = os.environ["OLD_APP"], os.environ["NEW_APP"]
    if new in labels and old not in labels and not names(old, recorded) and names(new, recorded):
        print(f"Nothing to do: {old} is recorded nowhere.")
        return 0
    if (old, new) not in renamed_apps() or names(new, recorded):
        raise Refusal("OLD_APP and NEW_APP are not what diagnose finds. Run diagnose again.")
    renamed, moved = move(old, new, tables_of(new, old, old, new))
    print(f"Renamed {len(renamed)} tables; {moved} rows of django_migrations are of {new} now.")
    return 0


def undo():
    old, new = os.environ["OLD_APP"], os.environ["NEW_APP"]
    if old not in labels and new in labels and names(old, recorded) and not names(new, recorded):
        print(f"Nothing to undo: {old} is what is recorded.")
        return 0
    if old in labels or new not in labels or names(old, recorded):
        raise Refusal(f"{new} is not an app that was renamed from {old}.")
    renamed, moved = move(new, old, tables_of(new, new, new, old))
    print(f"Renamed {len(renamed)} tables back; {moved} rows of django_migrations are of {old} again.")
    return 0


def verify():
    wrong = [f"{old} is recorded, but the app is {new}" for old, new in renamed_apps()]
    wrong += [f"no table {model._meta.db_table}" for app in sorted(loader.migrated_apps) for model in models_of(app, app)
              if model._meta.db_table not in tables]
    if not wrong:
        loader.check_consistent_history(connection)
    print(*wrong or ["The history is consistent, and every table has the name that the models say."], sep="\n")
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

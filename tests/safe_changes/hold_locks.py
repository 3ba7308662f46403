"""Run OPERATIONS on fees in a transaction, and let a second session look up which locks it holds (PostgreSQL)."""

import json
import os

from django.contrib.postgres.functions import RandomUUID
from django.db import connection, migrations, models, transaction
from django.db.migrations.loader import MigrationLoader
from django.db.models import F, functions

LOCKS = """
    SELECT relname, mode FROM pg_locks JOIN pg_class ON pg_class.oid = relation
    WHERE pid = %s AND granted AND relkind = 'r' AND relname LIKE 'fees_%%' AND mode <> 'AccessShareLock'
"""

names = {"migrations": migrations, "models": models, "functions": functions, "F": F, "RandomUUID": RandomUUID}
migration = migrations.Migration("0013_probe", "fees")
migration.operations = eval(os.environ["OPERATIONS"], names)
state = MigrationLoader(connection).project_state()
with connection.copy("second").cursor() as second, transaction.atomic():
    with connection.schema_editor() as editor:
        migration.apply(state, editor)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        second.execute(LOCKS, cursor.fetchone())
    print(json.dumps(sorted(second.fetchall())))
    transaction.set_rollback(True)

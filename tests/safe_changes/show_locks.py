"""Run the pending migrations of fees one by one, and print which locks each holds at its end (PostgreSQL)."""

from django.core.management import call_command
from django.db import connection, transaction
from django.db.migrations.executor import MigrationExecutor

LOCKS = """
    SELECT relname, mode, pg_relation_filenode(relname::regclass) FROM pg_locks JOIN pg_class ON oid = relation
    WHERE pid = pg_backend_pid() AND relkind = 'r' AND relname LIKE 'fees_%' AND mode <> 'AccessShareLock'
"""
FILE = "SELECT pg_relation_filenode('fees_payment')"

executor = MigrationExecutor(connection)
pending = executor.migration_plan([key for key in executor.loader.graph.leaf_nodes() if key[0] == "fees"])
for migration, _ in pending:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(FILE)
        before = cursor.fetchone()
        call_command("migrate", "fees", migration.name, verbosity=0)
        cursor.execute(LOCKS)
        for table, mode, file in sorted(cursor.fetchall()):
            rewritten = table == "fees_payment" and before != (file,)
            print(f"{migration.name}: {table} {mode}{', and the table is rewritten' if rewritten else ''}")

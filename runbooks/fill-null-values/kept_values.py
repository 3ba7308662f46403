"""Writes new values into some rows of a column, and keeps what was there in a table of its own, so that it can go back."""

from django.db import transaction
from django.db.backends.utils import truncate_name


class KeptValues:
    """The kept values of one column: a row of (key, was, became) for each row that was changed."""

    def __init__(self, connection, table, column):
        self.connection, quote = connection, connection.ops.quote_name
        self.name = truncate_name(f"runbook_kept_{table}_{column}", length=connection.ops.max_name_length() or 63)
        with connection.cursor() as cursor:
            self.there = self.name in connection.introspection.table_names(cursor)
            keys = connection.introspection.get_primary_key_columns(cursor, table) or []
        if len(keys) != 1:
            raise LookupError(f"{table} has no primary key of one column")
        self.table, self.column, self.key, self.kept = quote(table), quote(column), quote(keys[0]), quote(self.name)

    def query(self, sql, values=()):
        with self.connection.cursor() as cursor:
            cursor.execute(sql, values)
            return cursor.fetchall() if cursor.description else cursor.rowcount

    def keys(self, where, values=()):
        """The primary keys of the rows for which the condition holds."""
        return [key for (key,) in self.query(f"SELECT {self.key} FROM {self.table} WHERE {where} ORDER BY {self.key}", values)]

    def replace(self, where, new, values=(), check=None):
        """Set the column to the SQL expression `new` in the rows that `where` selects; return how many.

        `check` is called before the transaction ends; when it raises, nothing has changed.
        The table is made before the transaction, since MariaDB ends a transaction at each CREATE TABLE.
        """
        made = f"SELECT {self.key}, {self.column} AS was, {self.column} AS became FROM {self.table} WHERE 1 = 0"
        self.query(f"CREATE TABLE IF NOT EXISTS {self.kept} AS {made}")
        try:
            with transaction.atomic(using=self.connection.alias):
                changed = self.keep_and_write(where, new, values)
                if check:
                    check()
                return changed
        except Exception:
            if not self.there:
                self.query(f"DROP TABLE {self.kept}")
            raise

    def keep_and_write(self, where, new, values):
        if self.there:
            self.query(f"DELETE FROM {self.kept} WHERE {self.key} IN (SELECT {self.key} FROM {self.table} WHERE {where})")
        kept = self.query(f"INSERT INTO {self.kept} SELECT {self.key}, {self.column}, {new} FROM {self.table} WHERE {where}", values)
        changed = self.query(
            f"UPDATE {self.table} SET {self.column} = {new} WHERE {where} AND {self.key} IN (SELECT {self.key} FROM {self.kept})", values
        )
        if kept != changed:
            raise RuntimeError("rows changed meanwhile. Run it again.")
        return changed

    def put_back(self):
        """Put the old values back where the new ones still stand; return (rows put back, rows that were changed since)."""
        of_row = f"FROM {self.kept} k WHERE k.{self.key} = {self.table}.{self.key}"
        with transaction.atomic(using=self.connection.alias):
            done = self.query(
                f"UPDATE {self.table} SET {self.column} = (SELECT k.was {of_row})"
                f" WHERE EXISTS (SELECT 1 {of_row} AND k.became = {self.table}.{self.column})"
            )
        same = f"(t.{self.column} = k.was OR (t.{self.column} IS NULL AND k.was IS NULL))"
        left = self.query(
            f"SELECT COUNT(*) FROM {self.kept} k WHERE NOT EXISTS (SELECT 1 FROM {self.table} t WHERE t.{self.key} = k.{self.key} AND {same})"
        )[0][0]
        if not left:
            self.query(f"DROP TABLE {self.kept}")
        return done, left

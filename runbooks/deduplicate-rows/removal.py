"""Takes rows out of a table, points the rows that point to them to others, and keeps all of it so that it can go back."""

from django.apps import apps
from django.db import DatabaseError, transaction
from django.db.backends.utils import truncate_name

KEPT_KEY = "runbook_kept_key"


class Refused(Exception):
    """Why nothing was done."""


class Removal:
    def __init__(self, connection, table):
        self.connection, self.quote, self.table = connection, connection.ops.quote_name, table
        self.read_schema()
        self.key = self.keys.get(table)
        if not self.key:
            raise Refused(f"there is no table {table!r} with a primary key of one column")
        self.removed = self.name("removed", table)

    def name(self, kind, *of):
        return truncate_name("_".join(["runbook", kind, *of]), length=self.connection.ops.max_name_length() or 63)

    def query(self, sql, values=()):
        with self.connection.cursor() as cursor:
            cursor.execute(sql, values)
            return cursor.fetchall() if cursor.description else cursor.rowcount

    def read_schema(self):
        """The primary key of every table, and (table, column, column of ours) of each foreign key to ours, of models or the database alone."""
        look, self.keys, found = self.connection.introspection, {}, set()
        with self.connection.cursor() as cursor:
            for table in look.table_names(cursor):
                constraints = look.get_constraints(cursor, table).values()
                key = next((each["columns"] for each in constraints if each["primary_key"]), [])
                self.keys[table] = key[0] if len(key) == 1 else None
                for each in constraints:
                    if each["foreign_key"] and len(each["columns"]) == 1:
                        found.add((table, each["columns"][0], *each["foreign_key"]))
        self.links = set()
        for model in apps.get_models(include_auto_created=True):
            for field in model._meta.local_concrete_fields:
                if field.remote_field and not model._meta.proxy:
                    target = field.target_field
                    found.add((model._meta.db_table, field.column, target.model._meta.db_table, target.column))
            if model._meta.auto_created:
                self.links.add(model._meta.db_table)
        ours = [(child, column, target) for child, column, table, target in found if table == self.table]
        self.pointing = sorted(each for each in ours if each[1] in self.columns(each[0]))

    def columns(self, table):
        """The columns of a table; none when there is no such table."""
        if table not in self.keys:
            return []
        with self.connection.cursor() as cursor:
            return [column.name for column in self.connection.introspection.get_table_description(cursor, table)]

    def kept_names(self):
        """The tables in which this may keep something."""
        pointing = [(child, column) for child, column, _ in self.pointing]
        names = [self.removed, *(self.name("repointed", *each) for each in pointing), *(self.name("removed", child) for child, _ in pointing)]
        return [name for name in dict.fromkeys(names) if name in self.keys]

    def drop_kept(self, names):
        for name in names:
            self.query(f"DROP TABLE IF EXISTS {self.quote(name)}")

    def holding(self):
        return [name for name in self.kept_names() if self.query(f"SELECT COUNT(*) FROM {self.quote(name)}")[0][0]]

    # --- removing ---------------------------------------------------------------------------------------------------

    def plan(self, kept_rows):
        """What removing means; `kept_rows` is {key of the row that stays: keys of the rows that it stands for}."""
        self.kept_rows, self.stands_for = kept_rows, {key: kept for kept, keys in kept_rows.items() for key in keys}
        self.affected = [(*each, rows) for each in self.pointing if (rows := self.rows_pointing(*each))]
        self.double = {(child, column): self.double_links(child, column) for child, column, *_ in self.affected if child in self.links}

    def chunks(self, keys):
        return ((keys[start : start + 500], ", ".join(["%s"] * len(keys[start : start + 500]))) for start in range(0, len(keys), 500))

    def rows_pointing(self, child, column, target):
        quote = self.quote
        counted = f"SELECT COUNT(*) FROM {quote(child)} c JOIN {quote(self.table)} t ON t.{quote(target)} = c.{quote(column)}"
        return sum(self.query(f"{counted} WHERE t.{quote(self.key)} IN ({marks})", chunk)[0][0] for chunk, marks in self.chunks(list(self.stands_for)))

    def double_links(self, child, column):
        """Links to removed rows that say the same as a link to the row that stays, or to another removed one."""
        key, other = self.keys[child], next(each for each in self.columns(child) if each not in (column, self.keys[child]))
        rows = self.query(f"SELECT {', '.join(map(self.quote, (key, column, other)))} FROM {self.quote(child)} ORDER BY {self.quote(key)}")
        stands_for = {str(key): str(kept) for key, kept in self.stands_for.items()}  # MariaDB returns UUIDs as texts
        there, double = {(str(row), rest) for _, row, rest in rows}, []
        for link, row, rest in rows:
            if str(row) in stands_for:
                double += [link] if (stands_for[str(row)], rest) in there else []
                there.add((stands_for[str(row)], rest))
        return double

    def obstacles(self):
        if names := self.holding():
            yield f"{', '.join(names)} still hold the rows of an earlier run: undo it, or rename these tables to keep them"
        for child, column, target, _ in self.affected:
            if column == self.keys[child]:
                yield f"{child}.{column} is the primary key of {child}: merge those rows by hand"
            elif not self.keys[child]:
                yield f"{child} points to {self.table} and has no primary key of one column"
            elif child == self.table:
                yield from self.loops(column, target)

    def loops(self, column, target):
        """Rows that stay and point to a row that they stand for: they would point to themselves."""
        columns = f"t.{self.quote(self.key)}, o.{self.quote(self.key)}"
        table, at = self.quote(self.table), self.quote(column)
        stands_for = {str(key): str(kept) for key, kept in self.stands_for.items()}
        for row, other in self.query(f"SELECT {columns} FROM {table} t JOIN {table} o ON o.{self.quote(target)} = t.{at}"):
            if stands_for.get(str(other)) == str(row):
                yield f"{self.table}.{column}: row {row} points to row {other} and would point to itself; keep {other}, or empty that column first"

    def remove(self):
        """Carry the plan out and return how many rows went. Raises Refused, and then nothing has changed.

        The tables are made before the transaction, since MariaDB ends a transaction at each CREATE TABLE.
        """
        if found := list(self.obstacles()):
            raise Refused("; ".join(found))
        made = dict(self.tables_to_make())
        for name, select in made.items():
            self.query(f"CREATE TABLE IF NOT EXISTS {self.quote(name)} AS {select} WHERE 1 = 0")
        try:
            with transaction.atomic(using=self.connection.alias):
                self.move()
        except (DatabaseError, Refused) as error:
            self.drop_kept(made)
            raise Refused(str(error).strip()) from None
        return len(self.stands_for)

    def tables_to_make(self):
        quote, key = self.quote, self.quote(self.key)
        yield self.removed, f"SELECT t.*, t.{key} AS {KEPT_KEY} FROM {quote(self.table)} t"
        for child, column, *_ in self.affected:
            values = f"{quote(self.keys[child])}, {quote(column)} AS was, {quote(column)} AS became"
            yield self.name("repointed", child, column), f"SELECT {values} FROM {quote(child)}"
            if self.double.get((child, column)):
                yield self.name("removed", child), f"SELECT * FROM {quote(child)}"

    def move(self):
        for kept, removed in self.kept_rows.items():
            self.copy(self.table, self.removed, self.key, removed, more=[kept])
        for (child, _), links in self.double.items():
            self.copy(child, self.name("removed", child), self.keys[child], links)
            self.delete(child, self.keys[child], links)
        for child, column, target, _ in self.affected:
            self.repoint(child, column, target)
        if self.delete(self.table, self.key, list(self.stands_for)) != len(self.stands_for):
            raise Refused("rows changed meanwhile; run it again")

    def copy(self, source, target, key, keys, more=()):
        for chunk, marks in self.chunks(keys):
            columns = ", ".join(["t.*", *["%s"] * len(more)])
            self.query(f"INSERT INTO {self.quote(target)} SELECT {columns} FROM {self.quote(source)} t WHERE t.{self.quote(key)} IN ({marks})", [*more, *chunk])

    def delete(self, table, key, keys):
        return sum(self.query(f"DELETE FROM {self.quote(table)} WHERE {self.quote(key)} IN ({marks})", chunk) for chunk, marks in self.chunks(keys))

    def repoint(self, child, column, target):
        quote = self.quote
        of_child, at, key, repointed = quote(child), quote(column), quote(self.keys[child]), quote(self.name("repointed", child, column))
        self.query(
            f"INSERT INTO {repointed} SELECT c.{key}, c.{at}, k.{quote(target)} FROM {of_child} c"
            f" JOIN {quote(self.removed)} r ON r.{quote(target)} = c.{at} JOIN {quote(self.table)} k ON k.{quote(self.key)} = r.{KEPT_KEY}"
        )
        self.query(
            f"UPDATE {of_child} SET {at} = (SELECT p.became FROM {repointed} p WHERE p.{key} = {of_child}.{key})"
            f" WHERE {key} IN (SELECT {key} FROM {repointed})"
        )

    # --- putting back -----------------------------------------------------------------------------------------------

    def put_back(self):
        """Put every row back, and point the others to them again where nobody has changed that since; return the rows."""
        there = self.kept_names()
        with self.connection.constraint_checks_disabled(), transaction.atomic(using=self.connection.alias):
            done = self.insert_back(self.removed, self.table)
            for child in {child for child, _, _ in self.pointing} & self.links:
                self.insert_back(self.name("removed", child), child)
            for child, column, _ in self.pointing:
                self.point_back(child, column)
            for name in there:
                self.query(f"DELETE FROM {self.quote(name)}")
        self.drop_kept(there)
        return done

    def insert_back(self, kept, table):
        if kept not in self.keys:
            return 0
        names = ", ".join(self.quote(column) for column in self.columns(kept) if column != KEPT_KEY)
        return self.query(f"INSERT INTO {self.quote(table)} ({names}) SELECT {names} FROM {self.quote(kept)}")

    def point_back(self, child, column):
        if not self.keys[child] or (repointed := self.name("repointed", child, column)) not in self.keys:
            return
        key, at, quote = self.quote(self.keys[child]), self.quote(column), self.quote
        of_row = f"FROM {quote(repointed)} p WHERE p.{key} = {quote(child)}.{key}"
        self.query(
            f"UPDATE {quote(child)} SET {at} = (SELECT p.was {of_row})"
            f" WHERE EXISTS (SELECT 1 {of_row} AND p.became = {quote(child)}.{at})"
        )

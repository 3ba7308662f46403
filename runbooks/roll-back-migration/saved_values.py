"""Files with the values that a rollback destroys: one a migration, one line a row, written whole or not at all."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from itertools import groupby, islice
from pathlib import Path

from django.core.management.color import no_style
from django.core.serializers.json import DjangoJSONEncoder
from django.db import connections, transaction

BATCH = 500
connection = connections[os.environ.get("RUNBOOK_DATABASE", "default")]


class Saved:
    def __init__(self, app: str, migration: str):
        self.folder = Path(".runbook/roll-back-migration/saved") / connection.alias / f"{app}.{migration}"

    def exists(self) -> bool:
        return (self.folder / "migrations.json").exists()

    def migrations(self) -> list[str]:
        """Names of the migrations rolled back, oldest first."""
        return json.loads((self.folder / "migrations.json").read_text())

    def holds(self, migration: str) -> bool:
        return (self.folder / f"{migration}.jsonl").exists()

    def begin(self, migrations: list[str], applied) -> None:
        """Go on with a rollback that was killed half way, or begin one; what an older one saved is put aside."""
        if self.exists():
            if any(tuple(each.split(".", 1)) not in applied for each in self.migrations()):
                return
            self.put_aside("replaced")
        self.folder.mkdir(parents=True, mode=0o700, exist_ok=True)
        self.write_whole("migrations.json", [json.dumps(migrations)])

    def put_aside(self, word: str) -> None:
        os.rename(self.folder, self.folder.with_name(f"{self.folder.name}.{word}-{datetime.now(UTC):%Y%m%dT%H%M%S.%f}Z"))

    def write(self, migration: str, losses) -> None:
        self.write_whole(f"{migration}.jsonl", lines_of(losses))

    def write_whole(self, name: str, lines) -> None:
        part = self.folder / f"{name}.part"
        with open(os.open(part, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o600), "w") as file:
            file.writelines(f"{line}\n" for line in lines)
            file.flush()
            os.fsync(file.fileno())
        os.replace(part, self.folder / name)

    def put_back(self, apps) -> None:
        """Write the saved values into the models that `apps` holds, all in one transaction."""
        with transaction.atomic(using=connection.alias), connection.constraint_checks_disabled():
            for migration in self.migrations():
                if self.holds(migration):
                    with open(self.folder / f"{migration}.jsonl") as lines:
                        put_back_lines(lines, apps)
        self.put_aside("put-back")


def lines_of(losses):
    """For each loss a line that names the model and its fields, then one line a row: its key and its values."""
    for loss in losses:
        meta, fields = loss.model._meta, loss.fields()
        yield json.dumps({"model": meta.label, "whole": loss.field is None, "fields": [each.name for each in fields]})
        for row in loss.model._base_manager.using(connection.alias).order_by("pk").iterator():
            values = [text_of(field, row) for field in [meta.pk, *fields]]
            yield json.dumps(values, cls=DjangoJSONEncoder)


def text_of(field, row):
    return None if field.value_from_object(row) is None else field.value_to_string(row)


def value_of(field, text):
    return None if text is None else field.to_python(text)


def put_back_lines(lines, apps) -> None:
    refilled = []
    for header, rows in blocks(lines):
        model = apps.get_model(header["model"])
        fields = [model._meta.get_field(name) for name in header["fields"]]
        if header["whole"]:  # rows that the migration made on its way forward would stand beside the saved ones
            model._base_manager.using(connection.alias)._raw_delete(connection.alias)
            refilled.append(model)
        while batch := list(islice(rows, BATCH)):
            insert(model, fields, batch) if header["whole"] else update(model, fields, batch)
    # The next new row must not get the key of a saved one.
    with connection.cursor() as cursor:
        for statement in connection.ops.sequence_reset_sql(no_style(), refilled):
            cursor.execute(statement)


def blocks(lines):
    """Each header with the rows below it."""
    header = None
    for is_header, group in groupby(map(json.loads, lines), key=lambda line: isinstance(line, dict)):
        if is_header:
            *without_rows, header = group
            yield from ((each, iter(())) for each in without_rows)
        else:
            yield header, group
            header = None
    if header is not None:
        yield header, iter(())


def insert(model, fields, rows) -> None:
    for _, *values in rows:
        row = model(**{field.attname: value_of(field, value) for field, value in zip(fields, values, strict=True)})
        row.save_base(raw=True, force_insert=True, using=connection.alias)


def update(model, fields, rows) -> None:
    """One statement for all rows of the batch that had the same values."""
    keys = {}
    for key, *values in rows:
        keys.setdefault(json.dumps(values), []).append(value_of(model._meta.pk, key))
    for values, same in keys.items():
        new = {field.name: value_of(field, value) for field, value in zip(fields, json.loads(values), strict=True)}
        model._base_manager.using(connection.alias).filter(pk__in=same).update(**new)

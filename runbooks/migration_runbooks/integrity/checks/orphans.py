"""Rows whose foreign key points to nothing.

Every foreign key is searched, also one that the database enforces: a restore or a load may have switched that off.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from migration_runbooks.integrity.examined import Examined
from migration_runbooks.integrity.finding import Finding, Unreadable
from migration_runbooks.integrity.pieces import pieces

SHOWN = 3


@dataclass(frozen=True, order=True)
class Link:
    table: str
    columns: tuple[str, ...]
    target: str
    target_columns: tuple[str, ...]
    wanted: bool = True
    """False where the model itself asks for no constraint (db_constraint=False)."""


def check(examined: Examined) -> Iterator[Finding]:
    if not examined.rows:
        examined.not_checked.append("rows: --skip-rows was given, so no orphaned row was looked for")
        return
    sizes = sizes_of(examined) if examined.row_limit is not None else {}
    for link in sorted(links(examined)):
        if sizes.get(link.table, 0) > (examined.row_limit or 0) and examined.row_limit is not None:
            note = f"rows of {link.table}: about {sizes[link.table]}, more than --row-limit {examined.row_limit}"
            if note not in examined.not_checked:
                examined.not_checked.append(note)
            continue
        count, keys = orphans_of(examined, link)
        if count:
            yield finding(examined, link, count, keys)


def links(examined: Examined) -> set[Link]:
    """Every foreign key that the migrations make, the database has or the models know, if its tables are there."""
    live = examined.live
    found = {place: Link(*place) for place in keys_of(live)}
    try:
        found |= {place: Link(*place) for place in keys_of(examined.expected.schema)}
    except Unreadable:
        pass  # the database and the models tell of the rest
    for place in places_of_models(examined):
        found.setdefault(place, Link(*place, wanted=False))
    return {link for link in found.values() if has(live, link.table, link.columns) and has(live, link.target, link.target_columns)}


def keys_of(schema) -> Iterator[tuple]:
    for table in schema.values():
        for key in table.keys:
            if key.target:
                yield table.name, key.columns, *key.target


def places_of_models(examined: Examined) -> Iterator[tuple]:
    from django.apps import apps

    for model in apps.get_models(include_auto_created=True):
        for field in model._meta.local_concrete_fields:
            if field.remote_field and hasattr(field, "db_constraint") and model._meta.managed:
                target = field.target_field
                yield model._meta.db_table, (field.column,), target.model._meta.db_table, (target.column,)


def has(schema, table: str, columns: tuple[str, ...]) -> bool:
    return table in schema and set(columns) <= set(schema[table].columns)


def orphans_of(examined: Examined, link: Link) -> tuple[int, list]:
    """Return how many rows there are, and a few of their keys."""
    quote = examined.connection.ops.quote_name
    key = next((key.columns for key in examined.live[link.table].keys if key.kind == "primary key"), link.columns)
    child = [f"c.{quote(column)}" for column in link.columns]
    parent = [f"p.{quote(column)}" for column in link.target_columns]
    pairs = " AND ".join(f"{other} = {own}" for other, own in zip(parent, child, strict=True))
    joined = f"FROM {quote(link.table)} c LEFT JOIN {quote(link.target)} p ON {pairs}"
    condition = " AND ".join([*(f"{own} IS NOT NULL" for own in child), f"{parent[0]} IS NULL"])
    shown = ", ".join(f"c.{quote(column)}" for column in key)
    count, found = 0, []
    for piece in pieces(examined, link.table, link.columns[0]):
        where = f"{joined} WHERE {piece.condition}{condition}"
        here = examined.query(f"SELECT count(*) {where}", piece.values)[0][0]
        if here and len(found) < SHOWN:
            rows = examined.query(f"SELECT {shown} {where} LIMIT {SHOWN}", piece.values)
            found += [row[0] if len(row) == 1 else row for row in rows]
        count += here
    return count, found[:SHOWN]


def sizes_of(examined: Examined) -> dict[str, int]:
    """Return about how many rows each table has, without counting them."""
    ask = {
        "postgresql": "SELECT relname, CASE WHEN reltuples < 0 THEN pg_relation_size(oid) / 100 ELSE reltuples END::bigint FROM pg_class WHERE relkind IN ('r', 'p')",
        "mysql": "SELECT table_name, table_rows FROM information_schema.tables WHERE table_schema = DATABASE() AND table_rows IS NOT NULL",
    }.get(examined.connection.vendor)
    if ask:
        return dict(examined.query(ask))
    quote = examined.connection.ops.quote_name
    return {table: examined.query(f"SELECT coalesce(max(rowid), 0) FROM {quote(table)}")[0][0] for table in examined.live}


def finding(examined: Examined, link: Link, count: int, keys: list) -> Finding:
    column = f"{link.table}.{', '.join(link.columns)}"
    few = f"the row with key {keys[0]}" if count == 1 else f"{count} rows, among them those with the keys {', '.join(map(str, keys))}"
    return Finding(
        id="orphaned-rows",
        level="error" if link.wanted else "info",
        app=examined.owner(link.table),
        object=column,
        message=f"{column} points to no row of {link.target} in {few}."
        + ("" if link.wanted else " The field asks for no constraint."),
        hint="Keep the rows aside before you remove or change any: on SQLite they stop every migration.",
        runbook="quarantine-orphaned-rows",
    )

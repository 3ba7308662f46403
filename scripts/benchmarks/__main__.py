"""The options of `scripts/bench`."""

from __future__ import annotations

import argparse
import platform
import sys

from migration_runbooks.worlds import DATABASES, available

from scripts.benchmarks import integrity, orphans
from scripts.benchmarks.table import Table


def main() -> int:
    options = parser().parse_args()
    chosen = [name for name in options.databases if not (reason := available(name)) or print(f"Left out: {reason}\n")]
    if not chosen:
        print("None of the databases is available; nothing was measured.", file=sys.stderr)
        return 2
    print(f"Python {platform.python_version()}, {', '.join(chosen)}. Seconds; of each, the least and the median.\n", flush=True)
    if options.migrations:
        sizes = {name: [size for size in options.migrations if name == "sqlite" or size <= options.servers_up_to] for name in chosen}
        tables = integrity.measure(sizes, options.repeat, options.budget)
        show("Check without rows, against migrate --check and makemigrations --check", tables)
    if options.rows:
        show("Search for orphaned rows, against the anti-join in SQL", orphans.measure(chosen, options.rows, options.repeat))
    return 0


def show(title: str, tables: list[Table]) -> None:
    print(f"## {title}\n")
    for table in tables:
        print(f"{table}\n", flush=True)


def parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="scripts/bench", description="Measure check_migration_integrity against its references.")
    parser.add_argument("--databases", nargs="+", choices=DATABASES, default=DATABASES, help="databases to measure on (all that are here)")
    parser.add_argument("--migrations", nargs="*", type=int, default=[50, 500, 2000], help="sizes of the generated projects (50 500 2000)")
    parser.add_argument("--servers-up-to", type=int, default=500, help="largest project on PostgreSQL and MariaDB, where a replay takes minutes (500)")
    parser.add_argument("--rows", nargs="*", type=int, default=[1_000_000, 3_000_000], help="rows to search (1000000 3000000)")
    parser.add_argument("--repeat", type=int, default=5, help="times each is measured (5)")
    parser.add_argument("--budget", type=float, default=15, help="seconds after which the replay is not measured again (15)")
    return parser


if __name__ == "__main__":
    sys.exit(main())

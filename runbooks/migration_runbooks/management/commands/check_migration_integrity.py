"""`manage.py check_migration_integrity`: do files, history, schema and rows agree?"""

from __future__ import annotations

import sys
import time
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import connections

from migration_runbooks.integrity import formats
from migration_runbooks.integrity.examined import READ_ONLY, Examined
from migration_runbooks.integrity.finding import LEVELS, Finding
from migration_runbooks.integrity.run import Result, run

FOUND, COULD_NOT_CHECK = 1, 2


class Command(BaseCommand):
    help = "Compare migration files, recorded history, the schema they should have made, and the live database. Reads only."
    requires_system_checks: list[str] = []
    requires_migrations_checks = False

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--database", default="default", metavar="ALIAS", help="alias of the database to check (default)")
        parser.add_argument("--format", default="text", choices=formats.names(), help="how to write findings (text)")
        parser.add_argument("--level", default="warning", choices=LEVELS, help="least level to show (warning)")
        parser.add_argument(
            "--fail-level", default="error", choices=("error", "warning", "never"), help="least level that ends with status 1 (error)"
        )
        parser.add_argument("--quick", action="store_true", help="compare the schema with the models, without a replay")
        parser.add_argument("--skip-rows", action="store_true", help="look for no orphaned row")
        parser.add_argument("--row-limit", type=int, metavar="N", help="look for orphaned rows in tables of at most about N rows")
        parser.add_argument("--cache-dir", type=Path, metavar="DIR", help="where to keep the replayed schema (.runbook/integrity)")
        parser.add_argument("--fingerprints", type=Path, metavar="FILE", help="the committed file of fingerprints (migration_fingerprints.json)")
        parser.add_argument("--write-fingerprints", action="store_true", help="write the fingerprint of each applied migration to that file, and end")

    def handle(self, **options: Any) -> None:
        examined = self.examined(options)
        if options["write_fingerprints"]:
            from migration_runbooks.integrity.fingerprints import write_fingerprints

            self.stdout.write(write_fingerprints(examined))
            return
        begin = time.perf_counter()
        result = run(examined, options["level"])
        shown = [finding for finding in result.findings if LEVELS.index(finding.level) >= LEVELS.index(options["level"])]
        text = formats.written(options["format"], result, shown)
        if text:
            self.stdout.write(text)
        if options["verbosity"] >= 2:
            self.tell_time(result, time.perf_counter() - begin)
        if status := self.status(result, result.findings, options["fail_level"]):
            sys.exit(status)

    def examined(self, options: dict[str, Any]) -> Examined:
        alias = options["database"]
        if alias not in connections:
            raise CommandError(f"There is no database {alias!r} in DATABASES, only {', '.join(connections)}.", returncode=COULD_NOT_CHECK)
        if connections[alias].vendor not in READ_ONLY:
            raise CommandError(f"Databases of the kind {connections[alias].vendor} can't be checked.", returncode=COULD_NOT_CHECK)
        if connections[alias].in_atomic_block:
            raise CommandError("Run the check outside a transaction: it opens connections of its own.", returncode=COULD_NOT_CHECK)
        return Examined(
            alias,
            quick=options["quick"],
            cache_folder=options["cache_dir"],
            fingerprints=options["fingerprints"],
            rows=not options["skip_rows"],
            row_limit=options["row_limit"],
        )

    def status(self, result: Result, findings: list[Finding], fail_level: str) -> int:
        if fail_level != "never":
            enough = [finding for finding in findings if LEVELS.index(finding.level) >= LEVELS.index(fail_level) and finding.id != "could-not-check"]
            if enough:
                return FOUND
        return COULD_NOT_CHECK if result.could_not else 0

    def tell_time(self, result: Result, total: float) -> None:
        for name, seconds in sorted(result.seconds.items(), key=lambda item: -item[1]):
            self.stderr.write(f"{seconds:8.3f} s  {name}")
        self.stderr.write(f"{total:8.3f} s  in all, without the start of Django")

"""`manage.py reset_migrations`: a fresh, minimal history for some apps, with every row kept."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError, connections

from migration_runbooks.integrity.examined import READ_ONLY
from migration_runbooks.integrity.finding import Unreadable
from migration_runbooks.reset import report, run
from migration_runbooks.reset.backup import database_of
from migration_runbooks.reset.order import Order
from migration_runbooks.reset.refusal import BAD_INPUT, REFUSED, STOPPED_HALF_WAY, BadInput, NothingToDo, Refused
from migration_runbooks.runner.connection import secrets
from migration_runbooks.runner.problems import Stop
from migration_runbooks.runner.secrets import hide

HALF_WAY = f"Stopped half way. To finish: {report.COMMAND} --resume\nTo go back: {report.COMMAND} --undo"


class Command(BaseCommand):
    help = "Replace the migration history of apps by a fresh minimal one, with every row kept. Without --apply: prints the plan, changes nothing."
    requires_system_checks: list[str] = []
    requires_migrations_checks = False

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("apps", nargs="*", metavar="APP", help="label of an app of this project")
        verbs = parser.add_mutually_exclusive_group()
        verbs.add_argument("--apply", action="store_true", help="carry the plan out, after a backup that was restored elsewhere and compared")
        verbs.add_argument("--resume", action="store_true", help="finish a reset that was interrupted")
        verbs.add_argument("--undo", action="store_true", help="take the latest reset back, finished or not")
        parser.add_argument("--database", default="default", metavar="ALIAS", help="alias of the database whose records are replaced (default)")
        parser.add_argument(
            "--carry-over", action="append", default=[], metavar="APP.NAME", help="migration whose own code or SQL the new files must keep"
        )
        parser.add_argument(
            "--leave-out", action="append", default=[], metavar="APP.NAME", help="migration whose own code or SQL a new database does not need"
        )

    def handle(self, **options: Any) -> None:
        alias = options["database"]
        self.demand_database(alias)
        try:
            self.carried_out(options)
        except NothingToDo as nothing:
            self.say(str(nothing))
        except BadInput as error:
            raise CommandError(f"{self.hidden(error)}\nNothing was changed.", returncode=BAD_INPUT) from error
        except (Refused, Unreadable) as error:
            raise CommandError(f"Refused, nothing was changed:\n{self.listed(error)}", returncode=REFUSED) from error
        except Stop as stop:
            raise CommandError(self.hidden(stop).replace("runbook resume last", f"{report.COMMAND} --resume"), returncode=REFUSED) from stop
        except run.HalfWay as error:
            raise CommandError(f"{self.hidden(error)}\n{HALF_WAY}", returncode=STOPPED_HALF_WAY) from error
        except (KeyboardInterrupt, OSError, DatabaseError) as error:
            raise self.interrupted(error) from error

    def carried_out(self, options: dict[str, Any]) -> None:
        if options["resume"] or options["undo"]:
            verb = "resume" if options["resume"] else "undo"
            if options["apps"]:
                raise BadInput(f"--{verb} takes no app: it knows which were reset.")
            return getattr(run, verb)(self.say)
        order = Order(options["apps"], options["database"], tuple(options["carry_over"]), tuple(options["leave_out"]))
        if options["apply"]:
            return run.apply(order, self.say)
        plan = run.plan_only(order)
        self.say(report.plan_text(plan))
        if others := report.for_others(plan):
            self.say(f"Afterwards.\n{others}")
        self.say(f"Nothing was changed. To carry out this plan:\n  {report.COMMAND} {self.words(options)} --apply")

    def words(self, options: dict[str, Any]) -> str:
        """Return what was asked for, as it is typed."""
        words = list(options["apps"])
        words += ["--database", options["database"]] if options["database"] != "default" else []
        for name in ("carry_over", "leave_out"):
            words += [word for value in options[name] for word in (f"--{name.replace('_', '-')}", value)]
        return " ".join(words)

    def demand_database(self, alias: str) -> None:
        if alias not in connections:
            raise CommandError(f"There is no database {alias!r} in DATABASES, only {', '.join(connections)}.\nNothing was changed.", returncode=BAD_INPUT)
        if connections[alias].vendor not in READ_ONLY:
            raise CommandError(f"Databases of the kind {connections[alias].vendor} can't be reset.\nNothing was changed.", returncode=BAD_INPUT)
        if connections[alias].in_atomic_block:
            raise CommandError("Run the command outside a transaction.\nNothing was changed.", returncode=BAD_INPUT)
        try:
            self.secrets = secrets(database_of(alias))
        except DatabaseError as error:  # a MySQL that does not answer can't say whether it is MariaDB
            raise CommandError(f"Database {alias!r} can't be reached: {error}\nNothing was changed.", returncode=REFUSED) from error

    def interrupted(self, error: BaseException) -> CommandError:
        """Say how it stands after a failure that nobody foresaw."""
        said = self.hidden(error).strip() or "Interrupted"
        journal = run.unfinished()
        if journal and journal.last("started", "change"):
            return CommandError(f"{type(error).__name__}: {said}\n{HALF_WAY}", returncode=STOPPED_HALF_WAY)
        if journal:
            journal.write("ended", status=REFUSED)
        return CommandError(f"{type(error).__name__}: {said}\nNothing was changed.", returncode=REFUSED)

    def say(self, text: str) -> None:
        self.stdout.write(hide(text, self.secrets))
        self.stdout.flush()

    def hidden(self, error: BaseException) -> str:
        return hide(str(error), self.secrets)

    def listed(self, error: BaseException) -> str:
        return "\n".join(f"  {line}" for line in self.hidden(error).splitlines())

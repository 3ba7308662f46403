from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from migration_runbooks.cli.output import json_option

if TYPE_CHECKING:
    from migration_runbooks.runner.run import Outcome

UV_RUN = "uv run manage.py"
project_option = click.option(
    "--project",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    default=".",
    help="The folder with manage.py. Default: this folder.",
)
yes_option = click.option("--yes", is_flag=True, help="Don't ask before applying; needed without a terminal.")


@click.command("run", short_help="Show what a runbook would do, or do it.")
@click.argument("slug")
@project_option
@click.option("--manage", default=UV_RUN, show_default=True, help="How this project runs Django's commands.")
@click.option(
    "--database", default="default", show_default=True, help="The alias of the database in settings.DATABASES."
)
@click.option(
    "--set",
    "settings",
    multiple=True,
    metavar="NAME=VALUE",
    help="The value of an input, instead of what diagnose finds; repeatable.",
)
@click.option("--apply", is_flag=True, help="Carry out the plan: back up, fix, verify.")
@yes_option
@json_option
def command(
    slug: str,
    project: Path,
    manage: str,
    database: str,
    settings: tuple[str, ...],
    apply: bool,
    yes: bool,
    as_json: bool,
) -> None:
    """Diagnose a project and show what a runbook would do; with --apply, do it.

    SLUG is a name from `runbook list`. Without --apply nothing is changed; only `.runbook/` in the project is written
    to, which git ignores. With --apply the database is backed up first, the backup is restored elsewhere and compared,
    and a journal under `.runbook/runs/` makes it possible to resume or undo after any interruption.

    Exit status: 0 healthy now, repaired or nothing to do; 1 not repaired, the state is as before; 2 could not tell;
    3 stopped half way, with the command that resumes or undoes.
    """
    from migration_runbooks.cli.report import check_can_ask, confirmation, report, say_to
    from migration_runbooks.runner.session import Order, apply_run, plan_run

    order = Order(slug, project, manage, database, settings, yes)
    say = say_to(as_json)
    if apply:
        check_can_ask(yes)
        sys.exit(report(lambda: apply_run(order, say, confirmation(yes)), as_json))
    sys.exit(report(lambda: _with_next(plan_run(order, say)), as_json))


def _with_next(outcome: Outcome) -> Outcome:
    """Add the command that carries out the plan."""
    if outcome.status == 1:
        outcome.facts["next"] = [shlex.join(["runbook", *sys.argv[1:], "--apply"])]
    return outcome

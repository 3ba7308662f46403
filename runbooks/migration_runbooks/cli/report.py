"""What `run`, `resume` and `undo` show, and what they ask."""

from __future__ import annotations

import sys
from collections.abc import Callable

import click

from migration_runbooks.cli.output import print_json
from migration_runbooks.runner.problems import NOT_REPAIRED, Stop
from migration_runbooks.runner.run import Outcome

RESULTS = ("healthy", "not repaired, state as before", "could not tell", "stopped half way")


def say_to(as_json: bool) -> Callable[[str], None]:
    """Return what prints the lines of a run: to standard error when standard output is for JSON."""
    return lambda line: click.echo(line, err=as_json)


def report(work: Callable[[], Outcome], as_json: bool) -> int:
    """Do the work, print its outcome, return the exit status."""
    try:
        outcome = work()
    except Stop as stop:
        outcome = Outcome(stop.status, str(stop))
    except OSError as error:
        outcome = Outcome(2, f"{error}. Nothing was changed.")
    except KeyboardInterrupt:
        outcome = Outcome(1, "Interrupted. Nothing was changed.")
    if as_json:
        print_json(
            {"status": outcome.status, "result": RESULTS[outcome.status], "message": outcome.message, **outcome.facts}
        )
        return outcome.status
    click.echo(outcome.message, err=outcome.status != 0)
    for command in outcome.facts.get("next", []):
        click.echo(f"  {command}", err=outcome.status != 0)
    return outcome.status


def check_can_ask(yes: bool) -> None:
    """Raise click.UsageError when there is nobody to ask."""
    if not yes and not sys.stdin.isatty():
        raise click.UsageError("There is no terminal to ask on: add --yes to apply. Nothing was changed.")


def confirmation(yes: bool) -> Callable[[], bool]:
    """Return what asks before the first change; it raises Stop when there is nobody to ask."""

    def confirm() -> bool:
        if not yes and not sys.stdin.isatty():
            raise Stop("There is no terminal to ask on: add --yes to apply. Nothing was changed.", NOT_REPAIRED)
        return yes or click.confirm("Apply this plan?", err=True)

    return confirm

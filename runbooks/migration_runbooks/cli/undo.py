from __future__ import annotations

import sys
from pathlib import Path

import click

from migration_runbooks.cli.output import json_option
from migration_runbooks.cli.run import project_option


@click.command("undo", short_help="Take a run back.")
@click.argument("run")
@project_option
@json_option
def command(run: str, project: Path, as_json: bool) -> None:
    """Take a run back: the state before its fix.

    RUN is the id that `runbook run` printed; `last` is the latest.

    Exit status: 0 undone or nothing to undo; 1 this runbook has no undo, nothing was changed; 2 could not tell;
    3 stopped half way.
    """
    from migration_runbooks.cli.report import report, say_to
    from migration_runbooks.runner.session import undo_run

    sys.exit(report(lambda: undo_run(run, project, say_to(as_json)), as_json))

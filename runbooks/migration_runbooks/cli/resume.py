from __future__ import annotations

import sys
from pathlib import Path

import click

from migration_runbooks.cli.output import json_option
from migration_runbooks.cli.run import project_option, yes_option


@click.command("resume", short_help="Go on with a run that was stopped.")
@click.argument("run")
@project_option
@yes_option
@json_option
def command(run: str, project: Path, yes: bool, as_json: bool) -> None:
    """Go on with a run that was stopped or killed, from where its journal ends.

    RUN is the id that `runbook run` printed; `last` is the latest. It asks before the first change when the run was
    stopped before you agreed to its plan.

    Exit status: as for `runbook run`.
    """
    from migration_runbooks.cli.report import confirmation, report, say_to
    from migration_runbooks.runner.session import resume_run

    sys.exit(report(lambda: resume_run(run, project, say_to(as_json), confirmation(yes)), as_json))

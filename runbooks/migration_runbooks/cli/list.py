from __future__ import annotations

import click

from migration_runbooks.cli.output import json_option, print_json


@click.command("list", short_help="List the runbooks.")
@json_option
def command(as_json: bool) -> None:
    """List every runbook: its slug and what it does.

    Exit status: 0.
    """
    from migration_runbooks.catalogue.runbooks import all_runbooks

    runbooks = all_runbooks()
    if as_json:
        fields = ("slug", "title", "summary", "errors", "databases", "risk")
        print_json([{name: getattr(runbook, name) for name in fields} for runbook in runbooks])
        return
    width = max((len(runbook.slug) for runbook in runbooks), default=0)
    for runbook in runbooks:
        click.echo(f"{runbook.slug:{width}}  {runbook.title} [{runbook.risk['fix']}]")

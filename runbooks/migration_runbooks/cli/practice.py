from __future__ import annotations

import sys
from pathlib import Path

import click


@click.command("practice", short_help="Make a broken project to practise on.")
@click.argument("slug")
@click.argument("directory", required=False, metavar="[DIR]", type=click.Path(path_type=Path))
@click.option(
    "--check", is_flag=True, help="Say whether the practice project in DIR is solved; then DIR is the one argument."
)
def command(slug: str, directory: Path | None, check: bool) -> None:
    """Make a broken copy of the sample project to practise a runbook on, or check whether you solved it.

    SLUG is a name from `runbook list`; DIR is a new folder, ./practice-SLUG unless you name one. The project uses
    SQLite and nothing of yours. With --check give DIR alone: `runbook practice --check DIR`.

    Exit status: 0 made, or solved; 1 not solved yet; 2 it can't be made or checked.
    """
    from migration_runbooks.practice import PracticeError, check_practice, make_practice

    try:
        if check:
            solved, said = check_practice(directory or Path(slug))
            click.echo(f"{said}\n{'Solved.' if solved else 'Not solved yet.'}".strip())
            sys.exit(0 if solved else 1)
        drill = make_practice(slug, directory or Path(f"practice-{slug}"))
    except PracticeError as error:
        click.echo(str(error), err=True)
        sys.exit(2)
    click.echo(drill)

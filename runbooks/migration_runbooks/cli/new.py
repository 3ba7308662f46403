from __future__ import annotations

import sys

import click


@click.command("new", short_help="Make the skeleton of a new runbook.")
@click.argument("slug")
def command(slug: str) -> None:
    """Make the skeleton of a new runbook: its folder, its page and its test.

    SLUG is an imperative in lower case words joined by hyphens, such as adopt-existing-table. This works in a checkout
    of the guide only. Every place that you must fill says FILL IN.

    Exit status: 0 made; 2 not possible, and nothing was made.
    """
    from migration_runbooks.cli.skeleton import SkeletonError, make_skeleton

    try:
        made = make_skeleton(slug)
    except SkeletonError as error:
        click.echo(str(error), err=True)
        sys.exit(2)
    for path in made:
        click.echo(f"Made {path}")
    click.echo("Fill in every FILL IN, then prove it: scripts/test tests/runbooks -k " + slug.replace("-", "_"))

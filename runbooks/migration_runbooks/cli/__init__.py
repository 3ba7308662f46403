"""The `runbook` command: one file a subcommand, imported only when it is called."""

from __future__ import annotations

from importlib import import_module

import click

SUBCOMMANDS = ("list", "show", "explain", "run", "resume", "undo", "practice", "new")


class LazyGroup(click.Group):
    """A group whose subcommands are `<name>.command` in this package, so that each starts without the others."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [*SUBCOMMANDS]

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name not in SUBCOMMANDS:
            return None
        return import_module(f"{__name__}.{name}").command

    def invoke(self, ctx: click.Context):
        """Show what is wrong with a catalogue or a name as a message, with status 2."""
        from migration_runbooks.catalogue.reading import CatalogueError
        from migration_runbooks.catalogue.runbooks import NoSuchRunbook

        try:
            return super().invoke(ctx)
        except (CatalogueError, NoSuchRunbook) as error:
            click.echo(str(error), err=True)
            ctx.exit(2)


@click.group(cls=LazyGroup)
@click.version_option(package_name="django-migration-runbooks")
def main() -> None:
    """Repair broken Django migrations with runbooks that are proven on every supported database.

    Begin with `runbook explain`: give it the error that Django printed, and it names the page and the runbooks that
    repair it. Then `runbook run SLUG` shows what it would do, and changes nothing until you add `--apply`.
    """

from __future__ import annotations

import click


@click.command("show", short_help="Show a runbook: facts, inputs, scripts.")
@click.argument("slug")
def command(slug: str) -> None:
    """Show a runbook: its facts, its inputs, and every script with its risk.

    SLUG is a name from `runbook list`.

    Exit status: 0, or 2 when there is no such runbook.
    """
    from migration_runbooks.catalogue.runbooks import find

    runbook = find(slug)
    facts = {
        "Repairs": ", ".join(runbook.errors) or "no error: it is a procedure",
        "Databases": ", ".join(runbook.databases),
        "Locks": runbook.locks,
        "Duration": runbook.duration,
        "Undo": runbook.undo,
    }
    click.echo(f"{runbook.title} ({runbook.slug})\n\n{runbook.summary}\n")
    for name, fact in facts.items():
        click.echo(f"{name + ':':11}{fact}")
    for each in runbook.inputs:
        click.echo(f"Input {each.name}: {each.meaning} {each.found} Example: {each.example or 'empty'}")
    for step, script in runbook.scripts():
        click.echo(f"\n=== {script.name} [{runbook.risk[step]}] ===\n{script.read_text().rstrip()}")

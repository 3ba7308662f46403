from __future__ import annotations

import sys
from pathlib import Path

import click

from migration_runbooks.cli.output import json_option, print_json

LARGEST = 20 * 1024 * 1024


@click.command("explain", short_help="Say which error a text holds.")
@click.argument("file", default="-")
@json_option
def command(file: str, as_json: bool) -> None:
    """Say which known error a text holds, and which runbooks repair it.

    FILE holds what Django printed, from one line to a whole log; `-`, the default, reads standard input.
    Nothing is sent anywhere, and no Django project is needed.

    Exit status: 0 matched, 1 nothing matched, 2 the input can't be used.
    """
    from migration_runbooks.explain import explain

    matches = explain(_read(file))
    if as_json:
        fields = ("error", "score", "evidence", "inputs", "runbooks", "url")
        print_json({"matches": [{name: getattr(match, name) for name in fields} for match in matches]})
    else:
        _print(matches)
    sys.exit(0 if matches else 1)


def _read(file: str) -> str:
    if file == "-" and sys.stdin.isatty():
        click.echo("Paste the error, then press Ctrl-D on an empty line.", err=True)
    try:
        with sys.stdin.buffer if file == "-" else Path(file).open("rb") as opened:
            content = opened.read(LARGEST + 1)
    except OSError as error:
        raise click.UsageError(f"{file} can't be read: {error.strerror}.") from error
    if len(content) > LARGEST:
        raise click.UsageError("The input is larger than 20 MB. Give the part that holds the error.")
    text = content.decode(errors="replace")
    if not text.strip():
        raise click.UsageError("The input is empty. Give the error that Django printed.")
    return text


def _print(matches: list) -> None:
    if not matches:
        click.echo("No known error in this text. Give the whole traceback, with its last line.", err=True)
    for match in matches:
        click.echo(f"{match.error} ({match.score:.0%})\n  {match.evidence.strip()}")
        for name, value in match.inputs.items():
            click.echo(f"  {name}={value}")
        click.echo(f"  Page: {match.url}")
        for slug in match.runbooks:
            click.echo(f"  Repair: runbook run {slug}")

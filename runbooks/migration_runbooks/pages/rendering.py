"""One block as HTML: the highlighted code, marked for the check of the built site, with notes for the reader."""

from __future__ import annotations

import re
from html import escape

from pymdownx.superfences import SuperFencesException, highlight_validator

from .blocks import Block

GENERATED = "generated"
"""The mark of a fence that no page holds: directives and other extensions made it."""


def marked(block: Block) -> str:
    """Return the opening line of a fence with the block's number in the place of its options."""
    ticks = re.match("`+", block.page.lines[block.first].strip())[0]
    return f'{block.indentation}{ticks}{block.fence.language} {{data-block="{block.ordinal}"}}'


def accept(language, inputs, options, attributes, md) -> bool:
    """A superfences validator: find the page's block by its number."""
    if "data-block" not in inputs:
        return highlight_validator(language, inputs, options, attributes, md)
    options["block"] = md.page.blocks[int(inputs["data-block"])]
    return True


def show(source, language, css_class, options, md, **kwargs) -> str:
    """A superfences formatter: highlight the block's own text and say what the reader needs to know about it."""
    block: Block | None = options.pop("block", None)
    highlight = md.preprocessors["fenced_code_block"].highlight
    if block is None:
        code = highlight(src=source, language=language or "text", options=options, md=md, **kwargs)
        return f'<div class="block block-{GENERATED}" data-run="{GENERATED}">{code}</div>'
    if source.split() != block.text.split():
        raise SuperFencesException(f"{block.file}:{block.line}: superfences read another block here: {source}")
    title = {"title": block.fence.title} if block.fence.title else {}
    code = highlight(
        src=block.text,
        language="text" if block.fence.language == "output" else block.fence.language,
        options=title,
        md=md,
        classes=["no-copy"] if block.fence.kind == "output" else [],
        id_value="",
        attrs={},
    )
    label = _note("block-label", "Output") if block.fence.kind == "output" else ""
    notes = "".join(_note("block-note", text) for text in _notes(block))
    return f"<div {_attributes(block)}>{label}{code}{notes}</div>"


def _attributes(block: Block) -> str:
    kind = block.fence.kind
    attributes = {
        "class": f"block block-{kind.replace(' ', '-')}" + (" block-fails" if block.fence.exit else ""),
        "data-run": kind,
        "data-block": str(block.ordinal),
    }
    if block.database:
        attributes["data-database"] = block.database
    return " ".join(f'{name}="{escape(value)}"' for name, value in attributes.items())


def _notes(block: Block):
    if block.fence.exit:
        yield f"Exits with status {block.fence.exit}"
    if block.fence.requires:
        yield f"Needs {block.fence.requires}"
    if block.fence.not_run:
        yield f"Not run by CI: {block.fence.not_run}"


def _note(css_class: str, text: str) -> str:
    return f'<p class="{css_class}">{escape(text)}</p>'

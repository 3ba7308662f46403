"""What a line of Markdown stands in: tabs, admonitions and list items, by Python-Markdown's rule of four spaces."""

from __future__ import annotations

import re
from dataclasses import dataclass

from .fences import FenceError
from .snippets import Line, shown

TAB = re.compile(r'===(?P<new>!?)\+? +"(?P<title>[^"]*)"')
LIST_MARK = re.compile(r"([-*+]|\d+[.)]) ")
OPENER = re.compile(r"(!!!|\?\?\?\+?|[-*+]|\d+[.)]) |\[\^[^]]+\]:|: {3}")


@dataclass(eq=False)
class Container:
    """A line, and whether what is indented four spaces more stands in it; `title` is a tab's."""

    line: Line
    indentation: int
    opens: bool
    title: str | None = None


@dataclass
class Structure:
    """`around[index]`: the containers around the fence that opens at this index; `tab_sets`: tabs shown side by side."""

    around: dict[int, list[Container]]
    tab_sets: list[list[Container]]


def structure_of(lines: list[Line], first: int, fences: list[range]) -> Structure:
    """Return what stands in what, from index `first` on; `fences` are the lines of each fence.

    Raises FenceError for a fence that Markdown takes for an indented block of code.
    """
    structure = Structure({}, [])
    within = {index: fence.start for fence in fences for index in fence}
    stack: list[Container] = []
    for index in range(first, len(lines)):
        opening = within.get(index)
        if opening not in (None, index) or not lines[index].strip():
            continue
        container = _container(lines[index], is_fence=opening == index)
        if (
            opening is None
            and index > first
            and _continues_paragraph(lines, index, within)
            and not _begins(container, stack)
        ):
            continue
        left = [other for other in stack if other.indentation >= container.indentation]
        stack = [other for other in stack if other.indentation < container.indentation]
        if opening == index:
            _refuse_indented_code(container, stack)
            structure.around[index] = list(stack)
        if container.title is not None:
            _join_tab_set(structure.tab_sets, container, left)
        stack.append(container)
    return structure


def _container(line: Line, is_fence: bool) -> Container:
    text = line.lstrip(" ")
    tab = TAB.match(text)
    opens = not is_fence and bool(tab or OPENER.match(text))
    return Container(line, len(line) - len(text), opens, tab["title"] if tab and not is_fence else None)


def _continues_paragraph(lines: list[Line], index: int, within: dict[int, int]) -> bool:
    above = lines[index - 1].strip()
    return bool(above) and index - 1 not in within and not above.startswith("#")


def _begins(container: Container, stack: list[Container]) -> bool:
    """Return whether a line begins something although the line above it is not empty. In a paragraph, a list does not."""
    if not container.opens:
        return False
    in_paragraph = bool(stack) and not stack[-1].opens and stack[-1].indentation == container.indentation
    return not in_paragraph or not LIST_MARK.match(container.line.lstrip(" "))


def _refuse_indented_code(fence: Container, around: list[Container]) -> None:
    depth = len([container for container in around if container.opens])
    if depth == len(around) and fence.indentation == 4 * depth:
        return
    file, number = fence.line.origin
    raise FenceError(
        f"{shown(file)}:{number}: this fence is indented by {fence.indentation} spaces where {4 * depth} are due, "
        "so the page would not show it as a block"
    )


def _join_tab_set(tab_sets: list[list[Container]], tab: Container, left: list[Container]) -> None:
    beside = [other for other in left if other.title is not None and other.indentation == tab.indentation]
    starts_anew = TAB.match(tab.line.lstrip(" "))["new"]
    if beside and not starts_anew:
        next(tabs for tabs in tab_sets if beside[0] in tabs).append(tab)
    else:
        tab_sets.append([tab])

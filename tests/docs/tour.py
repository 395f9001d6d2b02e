"""
Commands and answers of a Markdown page, and whether an answer is still the one printed.

An answer is printed as it came, with "…" for ids. The members of VOLATILE differ from run
to run, so that only their type and shape count; everything else must be equal.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

#: Meters, tickets so far, and instants.
VOLATILE = {"value", "total", "as_of", "opted_in_at"}
ELISION = "…"
#: Commands, and what may be an answer to them.
SHELL = ("bash", "json", "text")

_FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_SHAPES = (r"\d+(\.\d+)?", r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")
_FIGURE = re.compile(r"[+-]?\d[\d.,]*\d|\d")


@dataclass(frozen=True)
class Block:
    """A fenced block: its language, and its text."""

    language: str
    text: str


@dataclass(frozen=True)
class Step:
    """Commands, and the answer that is printed below them, if one is."""

    commands: str
    answer: Block | None


def blocks_of(page: Path, *, heading: str) -> list[Block]:
    """Return the blocks of the chapter below ``heading``."""
    chapters = re.split(r"^(?=## )", page.read_text(), flags=re.MULTILINE)
    [chapter] = [text for text in chapters if text.startswith(f"## {heading}\n")]
    return [Block(language, text) for language, text in _FENCE.findall(chapter)]


def steps_of(page: Path, *, heading: str) -> list[Step]:
    """Return the commands of the chapter in their order, each with its answer."""
    shown = [block for block in blocks_of(page, heading=heading) if block.language in SHELL]
    blocks = [*shown, Block("bash", "")]
    return [
        Step(block.text, following if following.language != "bash" else None)
        for block, following in pairwise(blocks)
        if block.language == "bash"
    ]


def steps_of_page(page: Path) -> list[Step]:
    """Return the commands of the whole page in their order, each with its answer."""
    headings = re.findall(r"^## (.+)$", page.read_text(), flags=re.MULTILINE)
    return [step for heading in headings for step in steps_of(page, heading=heading)]


def modules_of(page: Path, *, heading: str | None = None) -> dict[str, str]:
    """Return the Python files of a page, by the name that the first line of each gives it."""
    text = page.read_text()
    blocks = (
        [Block(language, block) for language, block in _FENCE.findall(text)]
        if heading is None
        else blocks_of(page, heading=heading)
    )
    named = [
        (re.match(r"# ([\w/]+\.py)\n", block.text), block.text)
        for block in blocks
        if block.language == "python"
    ]
    return {match[1]: block for match, block in named if match is not None}


def differences(answer: Block, actual: str) -> list[str]:
    """Return where ``actual`` is not the printed answer; none if it is."""
    if answer.language == "json":
        expected, found = list(_documents(answer.text)), list(_documents(actual))
        return list(_json_differences(expected, found, ""))
    return list(line_differences(answer.text, actual))


def line_differences(expected: str, actual: str) -> Iterator[str]:
    """Yield the lines that differ, an elision standing for anything on its line."""
    wanted, found = expected.rstrip().splitlines(), actual.rstrip().splitlines()
    if len(wanted) != len(found):
        yield f"{len(found)} lines instead of {len(wanted)}:\n{actual}"
        return
    for line, other in zip(wanted, found, strict=True):
        if not _matches(line.rstrip(), other.rstrip()):
            yield f"{other!r} instead of {line!r}"


def without_figures(text: str) -> str:
    """Return ``text`` with every number as 0 and every gap as one space."""
    return "\n".join(
        re.sub(r" +", " ", _FIGURE.sub("0", line)).strip() for line in text.splitlines()
    )


def _documents(text: str) -> Iterator[Any]:
    """Yield the JSON documents in ``text``, one after the other."""
    decoder, rest = json.JSONDecoder(), text.strip()
    while rest:
        try:
            document, end = decoder.raw_decode(rest)
        except ValueError as error:
            raise AssertionError(f"not JSON: {rest}") from error
        yield document
        rest = rest[end:].lstrip()


def _json_differences(expected: Any, actual: Any, where: str) -> Iterator[str]:
    if isinstance(expected, dict) and isinstance(actual, dict):
        if expected.keys() != actual.keys():
            yield f"{where}: members {list(actual)} instead of {list(expected)}"
            return
        for name, value in expected.items():
            here = f"{where}/{name}"
            if name in VOLATILE:
                if _shape(value) != _shape(actual[name]):
                    yield f"{here}: {actual[name]!r} is not of the kind of {value!r}"
            else:
                yield from _json_differences(value, actual[name], here)
    elif isinstance(expected, list) and isinstance(actual, list):
        if len(expected) != len(actual):
            yield f"{where}: {len(actual)} items instead of {len(expected)}"
            return
        for index, value in enumerate(expected):
            yield from _json_differences(value, actual[index], f"{where}/{index}")
    elif isinstance(expected, str) and isinstance(actual, str):
        if not _matches(expected, actual):
            yield f"{where}: {actual!r} instead of {expected!r}"
    elif type(expected) is not type(actual) or expected != actual:
        yield f"{where}: {actual!r} instead of {expected!r}"


def _matches(expected: str, actual: str) -> bool:
    pattern = ".+".join(re.escape(part) for part in expected.split(ELISION))
    return re.fullmatch(pattern, actual) is not None


def _shape(value: Any) -> Any:
    shapes = [shape for shape in _SHAPES if isinstance(value, str) and re.fullmatch(shape, value)]
    return (type(value), shapes)

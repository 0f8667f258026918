"""Tables, text and figures before anybody decides how they look: what HTML and Word both render.

Every printed number is a `Part` that carries the name of the result row it was read from.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

# Control characters, line separators, halves of surrogate pairs and non-characters: XML allows none of them, and the
# figure renderer ends the whole program at some.
_UNPRINTABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f\u2028\u2029\ud800-\udfff\ufffe\uffff]")


def printable(text: str) -> str:
    """Leave out what no page, Word file or figure can hold."""
    return _UNPRINTABLE.sub("", text)


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of text; `row` names the result row behind a number, `note` becomes a footnote of the table."""

    text: str
    row: str | None = None
    note: str | None = None
    strong: bool = False
    mark: str = ""


Inline = tuple[Part, ...]


def inline(*pieces: str | Part | Inline) -> Inline:
    """Join plain text, parts and joined parts; neighbours of plain text become one."""
    parts: list[Part] = []
    for piece in pieces:
        for part in (Part(piece),) if isinstance(piece, str) else (piece,) if isinstance(piece, Part) else piece:
            if part.text:
                parts.append(part)
    return tuple(parts)


def plain(parts: Inline) -> str:
    """Give the text alone."""
    return "".join(part.text for part in parts)


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading over one or more columns."""

    text: Inline
    span: int = 1


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a table: its cells, the first being its name; a section line has the name alone."""

    cells: tuple[Inline, ...]
    indent: int = 0
    kind: Literal["row", "section", "total"] = "row"


@dataclass(frozen=True, slots=True)
class Table:
    """A table. `align` has a letter a column: l, c or r; a footnote is its letter and its text."""

    id: str
    title: str
    headings: tuple[tuple[Heading, ...], ...]
    lines: tuple[Line, ...]
    notes: tuple[str, ...] = ()
    footnotes: tuple[tuple[str, str], ...] = ()
    align: str = ""
    supplementary: bool = False
    number: str = ""

    @property
    def width(self) -> int:
        """Number of columns."""
        return sum(h.span for h in self.headings[-1])

    @property
    def alignment(self) -> str:
        """A letter for every column; the first is left, the others are centred unless `align` says otherwise."""
        return self.align or "l" + "c" * (self.width - 1)


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure: a Vega-Lite specification or an SVG of our own; `live` is what it answers to a pointer, printed."""

    id: str
    title: str
    alternative: str
    spec: dict[str, Any] | None = None
    live: dict[str, Any] | None = None
    svg: str | None = None
    notes: tuple[str, ...] = ()
    number: str = ""
    supplementary: bool = False


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A paragraph of text. `absent` says what could not be shown and why."""

    text: Inline
    style: Literal["normal", "lead", "absent", "warning", "heading"] = "normal"


@dataclass(frozen=True, slots=True)
class Bullets:
    """A list."""

    items: tuple[Inline, ...]


Block = Table | Figure | Paragraph | Bullets


@dataclass(frozen=True, slots=True)
class Section:
    """A section; level 1 is a chapter."""

    id: str
    title: str
    blocks: tuple[Block, ...]
    level: int = 1


@dataclass(frozen=True, slots=True)
class Document:
    """All of a report."""

    title: str
    subtitle: str
    banner: str
    authors: str
    note: str
    sections: tuple[Section, ...]
    footer: str


@dataclass(slots=True)
class TableBuilder:
    """Collects the lines of a table and gives footnote letters to what its parts have to say."""

    id: str
    title: str
    headings: list[tuple[Heading, ...]]
    lines: list[Line] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    align: str = ""
    supplementary: bool = False

    def line(
        self, *cells: str | Part | Inline, indent: int = 0, kind: Literal["row", "section", "total"] = "row"
    ) -> None:
        """Add a line."""
        self.lines.append(Line(tuple(inline(cell) for cell in cells), indent, kind))

    def section(self, title: str | Inline) -> None:
        """Add a line that names what follows."""
        self.lines.append(Line((inline(title),), 0, "section"))

    def finish(self) -> Table:
        """Give the finished table, its footnotes lettered in reading order."""
        letters: dict[str, str] = {}
        lines = tuple(replace(line, cells=tuple(_lettered(c, letters) for c in line.cells)) for line in self.lines)
        return Table(
            self.id, self.title, tuple(self.headings), lines, tuple(self.notes),
            tuple((letter, note) for note, letter in letters.items()),
            self.align, self.supplementary,
        )  # fmt: skip


def _letter(position: int) -> str:
    alphabet = "abcdefghijklmnopqrstuvwxyz"
    return alphabet[position] if position < 26 else alphabet[position // 26 - 1] + alphabet[position % 26]


def _lettered(parts: Inline, letters: dict[str, str]) -> Inline:
    found: list[Part] = []
    marked: set[str] = set()
    for part in parts:
        if part.note and part.note not in marked:
            letter = letters.setdefault(part.note, _letter(len(letters)))
            marked.add(part.note)
            found.append(replace(part, mark=letter))
        else:
            found.append(part)
    return tuple(found)


def headings(*columns: str | Inline) -> tuple[Heading, ...]:
    """Give one row of headings, each over one column."""
    return tuple(Heading(inline(column)) for column in columns)


def numbered(sections: Iterable[Section]) -> tuple[Section, ...]:
    """Number tables and figures in reading order, the supplementary ones as S1, S2, ... on their own."""
    counts: dict[tuple[type, bool], int] = {}

    def number(block: Block) -> Block:
        if not isinstance(block, Table | Figure):
            return block
        key = (type(block), block.supplementary)
        counts[key] = counts.get(key, 0) + 1
        word = "Table" if isinstance(block, Table) else "Figure"
        return replace(block, number=f"{word} {'S' if block.supplementary else ''}{counts[key]}")

    return tuple(replace(section, blocks=tuple(number(b) for b in section.blocks)) for section in sections)


def figures_of(sections: Sequence[Section]) -> list[Figure]:
    """Give all figures in reading order."""
    return [block for section in sections for block in section.blocks if isinstance(block, Figure)]

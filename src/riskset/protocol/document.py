"""A YAML text as plain values, with the line and column of each of them.

YAML 1.2, so that `NO` and `yes` stay text. Duplicate keys, tags and merge keys are refused; aliases are followed, but
only so far that a short text cannot become an endless one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any, TypeAlias

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from riskset.errors import Problem, StudyFileError

Path_: TypeAlias = tuple[str | int, ...]

MAX_CHARACTERS = 2_000_000
MAX_VALUES = 100_000
MAX_DEPTH = 40
MAX_OPEN = 200

_TAG = "tag:yaml.org,2002:"


@dataclass(frozen=True, slots=True)
class Locations:
    """Line and column (from 1) of keys and values by path; the file's name. All compare equal.

    Where a value stands is no part of what a file says, so two protocols that differ only in layout are equal.
    """

    file: str | None = field(default=None, compare=False)
    keys: Mapping[Path_, tuple[int, int]] = field(default_factory=dict, compare=False)
    values: Mapping[Path_, tuple[int, int]] = field(default_factory=dict, compare=False)

    def under(self, prefix: Sequence[str | int]) -> Locations:
        """Give the places of one part of the file, by their paths inside that part."""
        at = tuple(prefix)
        keys, values = (
            {path[len(at) :]: place for path, place in places.items() if path[: len(at)] == at}
            for places in (self.keys, self.values)
        )
        return Locations(self.file, keys, values)

    def problem(self, path: Sequence[str | int], message: str, *, key: bool = False) -> Problem:
        """Make a problem at a path; a path that is not in the file is placed at its nearest container.

        Parameters
        ----------
        path
            Keys and list positions (from 0), outermost first.
        message
            One sentence.
        key
            Point at the key rather than at its value.
        """
        at = tuple(path)
        place = self.keys.get(at) if key else None
        while place is None and at:
            place = self.values.get(at)
            at = at[:-1]
        line, column = place or self.values.get((), (1, 1))
        return Problem(dotted(path), message, line, column, self.file)


def dotted(path: Sequence[str | int]) -> str:
    """Write a path as `eligibility[2].where`."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else str(part)
    return text


@dataclass(frozen=True, slots=True)
class Document:
    """Plain values of a YAML text, where they stand, and what was wrong with the YAML itself."""

    data: Any
    locations: Locations
    problems: tuple[Problem, ...]
    nodes: Mapping[Path_, Node]


def read_text(path: Path) -> str:
    """Read a study or mapping file.

    Raises
    ------
    StudyFileError
        The file is missing, is no UTF-8 text, or cannot be read.
    """
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        message = "The file is not UTF-8 text; save it as UTF-8."
    except FileNotFoundError:
        message = "There is no such file; check its name and folder."
    except OSError as error:
        message = f"The file cannot be read ({error.strerror}); check it."
    raise StudyFileError([Problem("", message, file=str(path))])


def parse_document(text: str, *, file: str | None = None) -> Document:
    """Parse YAML into plain values.

    Raises
    ------
    StudyFileError
        The text is no YAML, holds more than one document, is empty, or its top level is no mapping.
    """
    if len(text) > MAX_CHARACTERS:
        raise StudyFileError([Problem("", f"The file has more than {MAX_CHARACTERS} characters.", file=file)])
    # The scanner's time grows with the square of brackets left open. Texts in quotes may hold some, never so many.
    if max(text.count("[") - text.count("]"), text.count("{") - text.count("}")) > MAX_OPEN:
        raise StudyFileError([Problem("", "The file leaves many brackets open; close them.", file=file)])
    # A byte order mark is no content; it is replaced, so that positions stay those of the text.
    text = " " * text.startswith("\ufeff") + text.removeprefix("\ufeff") if text.startswith("\ufeff") else text
    root = _compose(text, file)
    reader = _Reader(file)
    data = reader.read(root, ())
    locations = Locations(file, reader.keys, reader.values)
    if not isinstance(data, dict):
        raise StudyFileError([locations.problem((), "The file has to be a list of 'key: value'; begin with its keys.")])
    return Document(data, locations, tuple(locations.problem(p, m, key=k) for p, m, k in reader.found), reader.nodes)


def _compose(text: str, file: str | None) -> Node:
    yaml = YAML(typ="rt", pure=True)
    root: Node | None
    try:
        root = yaml.compose(text)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (None, None)
        raise StudyFileError([Problem("", _yaml_sentence(error), line, column, file)]) from None
    except RecursionError:
        raise StudyFileError([Problem("", "The file is nested too deeply; write it flatter.", file=file)]) from None
    except (YAMLError, ValueError) as error:
        sentence = f"The file is no YAML text ({_first_line(error)}); save it as plain UTF-8 text."
        raise StudyFileError([Problem("", sentence, file=file)]) from None
    if root is None:
        raise StudyFileError([Problem("", "The file is empty; write its keys.", 1, 1, file)])
    return root


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]


def _yaml_sentence(error: MarkedYAMLError) -> str:
    what = " ".join(part for part in (error.context, error.problem) if part)
    remedy = "check indentation, brackets and quotes"
    if "\\t" in what or "'\\t'" in what:
        remedy = "use spaces, not tabs, for indentation"
    elif "mapping values are not allowed" in what:
        remedy = "put a value that holds ': ' in quotes"
    elif "undefined alias" in what:
        remedy = "put a value that begins with * in quotes"
    return f"This is no valid YAML ({what}); {remedy}."


class _Reader:
    """Turns composed nodes into plain values, noting places and problems."""

    def __init__(self, file: str | None) -> None:
        self.file = file
        self.keys: dict[Path_, tuple[int, int]] = {}
        self.values: dict[Path_, tuple[int, int]] = {}
        self.nodes: dict[Path_, Node] = {}
        self.found: list[tuple[Path_, str, bool]] = []
        self.count = 0

    def read(self, node: Node, path: Path_) -> Any:
        self.count += 1
        self.values[path] = _place(node)
        self.nodes[path] = node
        if self.count > MAX_VALUES or len(path) > MAX_DEPTH:
            # Aliases within aliases grow without bound, and an alias of itself never ends: give up on the whole file.
            message = "The file holds too much or is nested too deeply here; write it without aliases (*name)."
            raise StudyFileError([Locations(self.file, {}, self.values).problem(path[:3], message)])
        if isinstance(node, MappingNode):
            self._refuse_tag(node, "map", path)
            return dict(self._entries(node, path))
        if isinstance(node, SequenceNode):
            self._refuse_tag(node, "seq", path)
            return [self.read(item, (*path, i)) for i, item in enumerate(node.value)]
        return self._scalar(node, path)

    def _entries(self, node: MappingNode, path: Path_) -> Iterator[tuple[str, Any]]:
        for key, value in node.value:
            if not isinstance(key, ScalarNode):
                self.found.append((path, "A key has to be plain text; put it in quotes.", False))
                continue
            # The key's own text, so that `0`, `01` and `NO` are kept as they are written.
            name = str(key.value)
            at = (*path, name)
            if at in self.keys:
                first = self.keys[at][0]
                self.keys[at] = _place(key)
                self.found.append((at, f"'{name}' is given twice, first on line {first}; keep one.", True))
                continue
            self.keys[at] = _place(key)
            if str(key.tag) == f"{_TAG}merge":
                self.found.append((at, "Merge keys (<<) are not read; write the values out.", True))
                continue
            yield name, self.read(value, at)

    def _refuse_tag(self, node: Node, plain: str, path: Path_) -> None:
        if str(node.tag) not in (f"{_TAG}{plain}", "None"):
            self.found.append((path, f"The tag '{_short(node)}' is not allowed; remove it.", False))

    def _scalar(self, node: Node, path: Path_) -> Any:
        kind = str(node.tag).removeprefix(_TAG)
        text = str(node.value)
        try:
            if kind == "int":
                return int(text.replace("_", ""), 0 if re.match(r"[-+]?0[xob]", text) else 10)
            if kind == "float":
                return _float(text)
            if kind == "timestamp":
                return date.fromisoformat(text)
        except ValueError:
            return text
        if kind == "bool" and text.lower() in ("true", "false"):
            return text.lower() == "true"
        if kind == "null":
            return None
        if kind not in ("str", "bool"):  # with %YAML 1.1 `NO` would be a truth value: it stays text
            self.found.append((path, f"The tag '{_short(node)}' is not allowed; remove it.", False))
        return text


def _float(text: str) -> float | str:
    special = re.fullmatch(r"([-+]?)\.(inf|nan)", text, re.IGNORECASE)
    return float(special[1] + special[2]) if special else float(text.replace("_", ""))


def _short(node: Node) -> str:
    return str(node.tag).replace(_TAG, "!!")


def _place(node: Node) -> tuple[int, int]:
    return node.start_mark.line + 1, node.start_mark.column + 1

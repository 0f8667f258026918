"""Change one value of a YAML text; every other character stays as it is."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from datetime import date
from typing import Any

from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from riskset.errors import Problem, StudyFileError
from riskset.protocol.document import Document, Path_, dotted, parse_document

_PLAIN = re.compile(r"[A-Za-z_][\w./%-]*(?: [\w./%-]+)*")
# Words that YAML 1.1 or 1.2 reads as something else than text.
_NOT_TEXT = frozenset(["null", "true", "false", "yes", "no", "on", "off", "y", "n"])


def edit(text: str, path: str | Sequence[str | int], value: Any) -> str:
    """Set one value, and keep comments, order and layout.

    Parameters
    ----------
    text
        The YAML text of a study file or mapping file.
    path
        `endpoints.pfs.scheme`, `eligibility[2].where`, or the same as a sequence of keys and positions (from 0).
        The last key may be new; what stands before it must exist.
    value
        Text, number, true or false, None, date, or lists and mappings of these (written on one line).

    Returns
    -------
    str
        The changed text, not checked against the study file's rules: `load` does that.

    Raises
    ------
    StudyFileError
        The text is no YAML, or the path leads nowhere.
    """
    at = _path(path)
    document = parse_document(text)
    if document.problems:
        raise StudyFileError(document.problems)
    if at in document.nodes:
        changed = _replace(text, document, at, value)
    else:
        changed = _insert(text, document, at, value)
    _verify(document, changed, at, value)
    return changed


def _path(path: str | Sequence[str | int]) -> Path_:
    if not isinstance(path, str):
        return tuple(path)
    return tuple(int(i) if i else key for i, key in re.findall(r"\[(\d+)\]|([^.\[\]]+)", path))


def _replace(text: str, document: Document, at: Path_, value: Any) -> str:
    node = document.nodes[at]
    start, end = _span(document, at, text)
    before = text[:start]
    if _is_block(node) and before.rstrip().endswith(":"):
        before = before.rstrip()  # what stood on lines of its own comes to stand behind its key
    style = node.style if isinstance(node, ScalarNode) else None
    return before + (" " if before.endswith(":") else "") + _written(value, style) + text[end:]


def _is_block(node: Node) -> bool:
    return isinstance(node, MappingNode | SequenceNode) and not node.flow_style


def _span(document: Document, at: Path_, text: str) -> tuple[int, int]:
    """Give where a value begins and ends; an empty one stands right behind the colon of its key."""
    node, parent = document.nodes[at], document.nodes.get(at[:-1])
    if isinstance(parent, MappingNode) and at:
        key = next(k for k, v in parent.value if k.value == at[-1])
        if _is_empty(node):
            end = _end_of_pair(key, node, text)
            return end, end
    return int(node.start_mark.index), _end(node, text)


def _is_empty(node: Node) -> bool:
    return isinstance(node, ScalarNode) and int(node.start_mark.index) == int(node.end_mark.index)


def _end_of_pair(key: Node, value: Node, text: str) -> int:
    return text.index(":", int(key.end_mark.index)) + 1 if _is_empty(value) else _end(value, text)


def _end(node: Node, text: str) -> int:
    """Give where a value ends; YAML lets a block reach as far as the next key, over comments that are not its own."""
    if _is_block(node) and node.value:
        last = node.value[-1]
        if isinstance(node, MappingNode):
            key, value = last
            return _end_of_pair(key, value, text)
        return _end(last, text)
    start, end = int(node.start_mark.index), int(node.end_mark.index)
    return start + len(text[start:end].rstrip())


def _insert(text: str, document: Document, at: Path_, value: Any) -> str:
    parent = document.nodes.get(at[:-1]) if at else None
    if not isinstance(parent, MappingNode) or not isinstance(at[-1], str):
        message = "The path leads nowhere in the file; only its last key may be new."
        raise StudyFileError([Problem(dotted(at), message)])
    entry = f"{_written(at[-1])}: {_written(value)}"
    if parent.flow_style:
        close = int(parent.end_mark.index) - 1
        inside = text[:close].rstrip()
        return inside + (", " if parent.value and not inside.endswith(",") else "") + entry + text[close:]
    line_end = text.find("\n", _end(parent, text))
    line_end = len(text) if line_end < 0 else line_end
    newline = "\r\n" if "\r\n" in text else "\n"
    return (
        text[:line_end].rstrip("\r")
        + newline
        + " " * int(parent.start_mark.column)
        + entry
        + (newline + text[line_end + 1 :])
    )


def _written(value: Any, style: str | None = None) -> str:
    """Write a value on one line, in the quotes that it had where that is possible."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return json.dumps(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, list | tuple):
        return f"[{', '.join(_written(item) for item in value)}]"
    if isinstance(value, dict):
        return f"{{{', '.join(f'{_written(str(k))}: {_written(v)}' for k, v in value.items())}}}"
    return _text(str(value), style)


def _text(text: str, style: str | None) -> str:
    if style not in ("'", '"') and _PLAIN.fullmatch(text) and text.lower() not in _NOT_TEXT:
        return text
    if style == "'" and text.isprintable():
        return "'" + text.replace("'", "''") + "'"
    return json.dumps(text, ensure_ascii=False)


def _verify(before: Document, changed: str, at: Path_, value: Any) -> None:
    """Make sure that the new text says what was asked and that nothing else has changed."""
    try:
        after = parse_document(changed)
        if not after.problems and after.data == _with(before.data, at, value):
            return
    except StudyFileError:
        pass
    message = "This value cannot be changed without touching others; edit the file by hand."
    raise StudyFileError([Problem(dotted(at), message)])


def _with(data: Any, at: Path_, value: Any) -> Any:
    """Give a copy of plain values with the value at a path replaced."""
    if not at:
        return _plain(value)
    copy: Any = dict(data) if isinstance(data, dict) else list(data)
    known = at[0] in copy if isinstance(copy, dict) else True
    copy[at[0]] = _with(copy[at[0]] if known else None, at[1:], value)
    return copy


def _plain(value: Any) -> Any:
    """Give a value as YAML would read it back."""
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        return {str(k): _plain(v) for k, v in value.items()}
    return value

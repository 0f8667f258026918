"""Readers of file formats, found by discovery: a module here that has `EXTENSIONS`, `recognises` and `read`.

`EXTENSIONS` are the endings (with the point) that name the format, `recognises(head)` looks at the file's first bytes,
and `read(path, options)` yields the sheets in the order of `options.sheets`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from typing import Protocol, cast

from riskset.errors import DataRefusedError
from riskset.ingest.sheet import ReadOptions, Sheet

# Above this a file is more likely a mistake than a hospital's table.
MAX_FILE_BYTES = 2 * 1024**3
_HEAD_BYTES = 4096
_OLE = b"\xd0\xcf\x11\xe0"


class Reader(Protocol):
    """What a module of this package offers."""

    __name__: str
    EXTENSIONS: Sequence[str]

    def recognises(self, head: bytes) -> bool:
        """Tell from the first bytes whether the content is of this format."""
        ...

    def read(self, path: Path, options: ReadOptions) -> Iterator[Sheet]:
        """Yield the sheets that the options name."""
        ...


@cache
def readers() -> dict[str, Reader]:
    """Give every reader by its name, in alphabetical order."""
    names = sorted(module.name for module in iter_modules(__path__))
    return {name: cast(Reader, import_module(f"{__name__}.{name}")) for name in names}


def reader_for(path: Path, label: str) -> Reader:
    """Choose the reader by the file's ending; its content must agree.

    Raises
    ------
    DataRefusedError
        The file is absent, empty, too large, of an unknown format, or its content is not what its ending says.
    """
    if not path.is_file():
        raise DataRefusedError(
            f"{label} does not exist in the data folder; check `file` in the mapping, or name the data folder with "
            "--data."
        )
    size = path.stat().st_size
    if size == 0:
        raise DataRefusedError(f"{label} is empty; ask the centre to send it again.")
    if size > MAX_FILE_BYTES:
        raise DataRefusedError(f"{label} is larger than {MAX_FILE_BYTES // 1024**3} GiB; split it.")
    with path.open("rb") as file:
        head = file.read(_HEAD_BYTES)
    ending = path.suffix.lower()
    named = next((reader for reader in readers().values() if ending in reader.EXTENSIONS), None)
    if named is not None and named.recognises(head):
        return named
    raise DataRefusedError(_why_not(label, ending, head, named))


def _why_not(label: str, ending: str, head: bytes, named: Reader | None) -> str:
    if head.startswith(_OLE):
        return f"{label} is an old .xls workbook or is protected by a password; save it as .xlsx without a password."
    content = next((reader for reader in readers().values() if reader.recognises(head)), None)
    if content is None:
        known = ", ".join(ending for reader in readers().values() for ending in reader.EXTENSIONS)
        return f"{label} is of no format that can be read; save it as one of {known}."
    if named is None:
        return f"{label} ends in '{ending}' but reads as {content.EXTENSIONS[0]}; rename it to {content.EXTENSIONS[0]}."
    return f"{label} is no {ending} file: its content reads as {content.EXTENSIONS[0]}; save it anew or rename it."


def read(path: Path, options: ReadOptions) -> Iterator[Sheet]:
    """Yield the sheets of a file that the options name, whatever its format; see `reader_for` for refusals."""
    return reader_for(path, options.label).read(path, options)

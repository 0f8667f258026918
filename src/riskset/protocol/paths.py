"""Paths that a user's file may name: relative, with `/`, and never out of their folder."""

from __future__ import annotations

from pathlib import PurePosixPath, PureWindowsPath
from typing import Annotated

from pydantic import AfterValidator
from pydantic_core import PydanticCustomError


def _inside(path: str) -> str:
    """Refuse a path that is empty, absolute on any system, or climbs out of its folder."""
    if not path.strip() or "\0" in path:
        raise PydanticCustomError("path", "A path is empty; name a file, such as raw/patients.xlsx.")
    if "\\" in path:
        raise PydanticCustomError("path", "A path is written with / on every system; replace the backslash.")
    windows = PureWindowsPath(path)
    if PurePosixPath(path).is_absolute() or windows.drive or windows.root or path.startswith("~"):
        raise PydanticCustomError("path", "A path is relative to the data folder; leave out what stands before it.")
    if ".." in PurePosixPath(path).parts:
        raise PydanticCustomError("path", "A path may not leave the data folder; write it without '..'.")
    return path


InsidePath = Annotated[str, AfterValidator(_inside)]

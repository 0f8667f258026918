"""The data folder: a mapping's path may not leave it, and each file has its hash."""

from __future__ import annotations

import hashlib
from pathlib import Path

from riskset.errors import DataRefusedError, did_you_mean

_CHUNK = 1024 * 1024


def inside(root: Path, file: str) -> Path:
    """Give the path of a mapping's file.

    Raises
    ------
    DataRefusedError
        The path leads out of the data folder, also through a symbolic link, or no such file exists.
    """
    folder = root.resolve()
    try:
        path = (folder / file).resolve()
    except (OSError, RuntimeError, ValueError):
        raise DataRefusedError(f"The path '{file}' cannot be followed; correct it in the mapping.") from None
    if not path.is_relative_to(folder):
        raise DataRefusedError(f"The path '{file}' leads out of the data folder; put the file inside it.")
    if not path.is_file():
        beside = sorted(entry.name for entry in path.parent.iterdir()) if path.parent.is_dir() else []
        hint = did_you_mean(path.name, beside)
        raise DataRefusedError(
            f"{file} does not exist in the data folder{hint}; check `file` in the mapping, or name the data folder "
            "with --data."
        )
    return path


def sha256(path: Path) -> str:
    """Give the hash of a file's bytes."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()

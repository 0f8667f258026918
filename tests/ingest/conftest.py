"""Small hospitals made on the spot: files in a temporary folder, a mapping as YAML, and the tables they give."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from riskset.ingest import read_study
from riskset.protocol import MappingFile, Protocol, load_mapping
from riskset.tables import Tables

Sheets = dict[str, Sequence[Sequence[Any]]]


def write_xlsx(path: Path, sheets: Sheets) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    book = openpyxl.Workbook()
    book.remove(book.active)
    for title, rows in sheets.items():
        sheet = book.create_sheet(title)
        for row in rows:
            sheet.append(list(row))
    book.save(path)
    return path


def write_csv(path: Path, text: str, encoding: str = "utf-8") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode(encoding))
    return path


def protocol_of(mappings: dict[str, MappingFile], **policies: str) -> Protocol:
    return Protocol.model_validate(
        {
            "riskset": 1,
            "study": {"id": "small", "title": "A small study"},
            "centres": {centre: {"mapping": f"{centre}.yaml"} for centre in mappings},
            "quality": policies,
        }
    )


@pytest.fixture
def ingest(tmp_path: Path) -> Callable[..., Tables]:
    """Read the temporary folder by one mapping (centre `ankara`) or several."""

    def run(mapping: str | dict[str, str], **policies: str) -> Tables:
        texts = {"ankara": mapping} if isinstance(mapping, str) else mapping
        mappings = {centre: load_mapping(text) for centre, text in texts.items()}
        return read_study(protocol_of(mappings, **policies), mappings, tmp_path)

    return run

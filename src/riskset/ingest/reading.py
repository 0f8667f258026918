"""Reads a whole study: every centre's files by its mapping, into canonical tables with their provenance."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from threading import Event
from typing import TypeAlias

import polars as pl

from riskset.errors import CancelledError, DataRefusedError, UsageError
from riskset.ingest.assemble import Centre, stacked
from riskset.ingest.files import inside, sha256
from riskset.ingest.mapping import BlockReader
from riskset.ingest.problems import Problem, gather, query
from riskset.ingest.provenance import Source, fields_table, sheets_table, sources_table
from riskset.ingest.readers import read
from riskset.ingest.sheet import ReadOptions, SheetRequest, heading
from riskset.progress import OnProgress, Progress, silent
from riskset.protocol import MappingFile, Protocol
from riskset.protocol.mapping import Block
from riskset.tables import Tables

# The sheets of one centre, by file and request.
Sheets: TypeAlias = dict[tuple[str, SheetRequest], Source]

_NOTE = ("encoding_assumed", "info", "reported")


def read_study(
    protocol: Protocol,
    mappings: Mapping[str, MappingFile],
    data_root: Path,
    *,
    on_progress: OnProgress = silent,
    cancel: Event | None = None,
) -> Tables:
    """Read every centre's files.

    Parameters
    ----------
    protocol
        The study; its centres, in its order, and the policies of its checks.
    mappings
        Centre -> mapping.
    data_root
        Folder that the mappings' paths are relative to and may not leave.
    on_progress
        Called once a file.
    cancel
        Checked before each file and after the last.

    Returns
    -------
    The canonical tables, sorted by centre and patient, and `sources`, `fields`, `sheets`, `queries`. Sources are
    numbered from 1: centres in the study's order, then sheets as the mapping first names them.

    Raises
    ------
    DataRefusedError
        A file, sheet, header or column is absent or unreadable; absent columns are told all together, one a line.
    CancelledError
        `cancel` was set.
    """
    _check_mappings(protocol, mappings)
    total = sum(len(_requests(mappings[centre])) for centre in protocol.centres)
    done = 0
    sources: list[Source] = []
    found: dict[str, Sheets] = {}
    for centre in protocol.centres:
        mapping = mappings[centre]
        own = found.setdefault(centre, {})
        for file, requests in _requests(mapping).items():
            _stop_if(cancel)
            on_progress(Progress("ingest", f"Reading {file}", done, total))
            for request, source in _read_file(centre, mapping, file, requests, data_root, len(sources)):
                own[file, request] = source
                sources.append(source)
            done += 1
    _refuse_columns({centre: (mappings[centre], own) for centre, own in found.items()})
    fields: list[tuple[int, str, str, str]] = []
    queries: list[pl.DataFrame | None] = []
    parts = [_carry_out(centre, mappings[centre], own, fields, queries) for centre, own in found.items()]
    _stop_if(cancel)
    result = stacked(parts)
    result["sources"] = sources_table(sources)
    result["fields"] = fields_table(fields)
    result["sheets"] = sheets_table(sources)
    result["queries"] = gather(queries, protocol.quality)
    return result


def _check_mappings(protocol: Protocol, mappings: Mapping[str, MappingFile]) -> None:
    for centre in protocol.centres:
        if centre not in mappings:
            raise UsageError(f"Centre '{centre}' has no mapping; give one for each centre of the study file.")


def _stop_if(cancel: Event | None) -> None:
    if cancel is not None and cancel.is_set():
        raise CancelledError("The run was cancelled while files were read; nothing was written.")


def _request(block: Block) -> SheetRequest:
    return SheetRequest(block.sheet, block.header_row)


def _requests(mapping: MappingFile) -> dict[str, list[SheetRequest]]:
    """Give the files, and the sheets of each, once each and in the order in which the mapping names them."""
    found: dict[str, list[SheetRequest]] = {}
    for block in mapping.blocks:
        requests = found.setdefault(block.file, [])
        if _request(block) not in requests:
            requests.append(_request(block))
    return found


def _read_file(
    centre: str, mapping: MappingFile, file: str, requests: list[SheetRequest], data_root: Path, before: int
) -> list[tuple[SheetRequest, Source]]:
    """Read the sheets of one file that the mapping names; each is one source."""
    path = inside(data_root, file)
    defaults = mapping.defaults
    stated = defaults.encoding if "encoding" in defaults.model_fields_set else None
    options = ReadOptions(file, tuple(requests), stated, defaults.delimiter)
    digest = sha256(path)
    ignored = frozenset(heading(name) for name in mapping.ignore)
    found = []
    for number, (request, sheet) in enumerate(zip(requests, read(path, options), strict=True), start=before + 1):
        blocks = [block for block in mapping.blocks if block.file == file and _request(block) == request]
        named = {name for block in blocks for name in block.columns}
        used = tuple(name for name in sheet.columns if name in named or name in {heading(other) for other in named})
        source = Source(number, centre, file, digest, sheet, used, ignored)
        found.append((request, source))
    return found


def _refuse_columns(centres: Mapping[str, tuple[MappingFile, Sheets]]) -> None:
    """Refuse columns that mappings name and sheets lack, and those that mappings must name; all are told together."""
    problems: list[str] = []
    for centre, (mapping, sources) in centres.items():
        for block in mapping.blocks:
            source = sources[block.file, _request(block)]
            problems += BlockReader(centre, mapping, block, source.sheet, source.number, source.place).absent_columns()
        for source in sources.values():
            if source.unmapped and mapping.unmapped_columns == "refuse":
                names = ", ".join(f"'{name}'" for name in source.unmapped)
                problems.append(
                    f"{source.place} has columns that the mapping neither uses nor ignores ({names}); map them, or "
                    "list them under `ignore`."
                )
    if problems:
        raise DataRefusedError("\n".join(dict.fromkeys(problems)))


def _carry_out(
    centre: str,
    mapping: MappingFile,
    sources: Sheets,
    fields: list[tuple[int, str, str, str]],
    queries: list[pl.DataFrame | None],
) -> dict[str, pl.DataFrame]:
    """Carry out the blocks of one mapping; adds to `fields` and `queries`."""
    decimal = mapping.defaults.decimal if "decimal" in mapping.defaults.model_fields_set else None
    gathered = Centre(centre, decimal)
    for block in mapping.blocks:
        source = sources[block.file, _request(block)]
        extract = BlockReader(centre, mapping, block, source.sheet, source.number, source.place).extract()
        gathered.add(block, extract)
        fields += [(source.number, block.table, name, column) for name, column in extract.fields]
    tables = gathered.tables()
    queries += gathered.queries
    for source in sources.values():
        for note in source.sheet.notes:
            queries.append(query(Problem(*_NOTE, note), note, centre=centre, source=source.number))
    return tables


__all__ = ["read_study"]

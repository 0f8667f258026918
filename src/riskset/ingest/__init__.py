"""Ingest: the hospitals' files, by their mappings, into canonical tables with provenance and a list of questions.

Nothing is guessed: structure that does not fit is refused, a cell that cannot be read becomes null and a query.
"""

from __future__ import annotations

from riskset.ingest.problems import CHECKS
from riskset.ingest.provenance import Cell, cell, cells_of
from riskset.ingest.query_list import write_query_list
from riskset.ingest.reading import read_study
from riskset.ingest.sheet import Kind, ReadOptions, Sheet, SheetRequest

__all__ = [
    "CHECKS",
    "Cell",
    "Kind",
    "ReadOptions",
    "Sheet",
    "SheetRequest",
    "cell",
    "cells_of",
    "read_study",
    "write_query_list",
]

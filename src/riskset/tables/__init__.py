"""The tables that every source is brought to, and those that the later steps add.

A schema says which columns a table has, their types, units and allowed nulls; nothing else lives here. The rows of
all centres stand in one frame a table, keyed by `centre` and `patient`. A set of tables is a plain mapping of name to
frame (`Tables`): a step takes one and gives back another with tables or columns added.
"""

from __future__ import annotations

from riskset.tables.canonical import ASSESSMENT_RESPONSES, BONE, CANONICAL, ORGANS, VISCERAL
from riskset.tables.derived import DERIVED
from riskset.tables.provenance import PROVENANCE
from riskset.tables.schema import KEY, ROW_KEY, Column, Tables, TableSchema, empty, fit

SCHEMAS: dict[str, TableSchema] = {**CANONICAL, **PROVENANCE, **DERIVED}

__all__ = [
    "ASSESSMENT_RESPONSES",
    "BONE",
    "CANONICAL",
    "DERIVED",
    "KEY",
    "ORGANS",
    "PROVENANCE",
    "ROW_KEY",
    "SCHEMAS",
    "VISCERAL",
    "Column",
    "TableSchema",
    "Tables",
    "empty",
    "fit",
]

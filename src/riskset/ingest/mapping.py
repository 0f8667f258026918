"""Executes a mapping: one block over one sheet gives rows of one canonical table, and the questions that arose."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from typing import Any

import polars as pl

from riskset.errors import DataRefusedError, did_you_mean
from riskset.ingest.convert import Cells, Converted, Target, convert
from riskset.ingest.dates import BIRTH_PIVOT, YEAR_PIVOT
from riskset.ingest.problems import EMPTY, MISSING, Problem, cell_queries, query, row_queries
from riskset.ingest.sheet import Kind, Sheet, heading, number_text
from riskset.ingest.text import BLANK_WORDS
from riskset.protocol import MappingFile
from riskset.protocol.codes import CODED, FIELD_TYPES, fold_text
from riskset.protocol.mapping import Block, FieldSpec
from riskset.tables import CANONICAL

# Texts that a later rule reads, so they stay as they were written, words for missing included.
EXACT = frozenset({("samples", "ihc"), ("samples", "ish"), ("samples", "er"), ("samples", "pr")})
# A month without its day is used (as the 15th) for these, and for dates that a mapping adds. Not for assessments and
# contacts: a shifted visit would move an endpoint.
NEVER_FROM_MONTH = frozenset({"assessments", "contacts"})
# Here an unreadable cell is still a fact, and its row is kept.
DATED_FACTS = frozenset({"assessments", "contacts", "drugs"})
# 1 of the unit = factor of the canonical unit.
UNITS: dict[str, dict[str, Decimal]] = {
    "mm": {"mm": Decimal(1), "cm": Decimal(10), "m": Decimal(1000)},
    "%": {"%": Decimal(1), "percent": Decimal(1), "fraction": Decimal(100)},
}
NO_PATIENT = Problem("V01", "error", "excluded", "The row has no patient id and is not used; please complete it.")

UNSTORED_PATIENT = Problem(
    "V01",
    "error",
    "excluded",
    "The patient id is a formula without a stored value, and the row is not used; open and save the file in a "
    "spreadsheet program.",
)


@dataclass(frozen=True, slots=True)
class Extract:
    """What one block gave.

    Attributes
    ----------
    rows
        Canonical columns with `patient`, `source`, `row`.
    queries
        Questions to the centre.
    fields
        (field, column of the sheet) in the block's order.
    uncertain
        Patients for whom a cell of the block's list could not be read or says that it is unknown: absence from the
        list means nothing for them.
    """

    rows: pl.DataFrame
    queries: list[pl.DataFrame | None]
    fields: list[tuple[str, str]]
    uncertain: frozenset[str] = frozenset()


@dataclass(frozen=True)
class BlockReader:
    """One block over its sheet. `place` names file and sheet in messages; `source` is the sheet's number."""

    centre: str
    mapping: MappingFile
    block: Block
    sheet: Sheet
    source: int
    place: str

    def extract(self) -> Extract:
        """Carry the block out.

        Raises
        ------
        DataRefusedError
            A unit cannot be converted, or a column's date order is open. Columns that the sheet lacks must have been
            refused before: see `absent_columns`.
        """
        parts: list[pl.DataFrame] = []
        queries: list[pl.DataFrame | None] = [*self._without_patient()]
        fields: list[tuple[str, str]] = []
        uncertain: set[str] = set()
        for fields_of_row, constants in self.block.rows():
            part = self._one_entry(fields_of_row, constants, queries, fields, uncertain)
            parts.append(part)
        rows = pl.concat(parts, how="diagonal_relaxed")
        return Extract(rows, queries, list(dict.fromkeys(fields)), frozenset(uncertain))

    def absent_columns(self) -> list[str]:
        """Give one sentence for each column that the block names and the sheet lacks."""
        known = set(self.sheet.columns)
        row = f" in row {self.block.header_row}" if self.block.header_row > 1 else ""
        return [
            f"{self.place} has no column '{name}'{row}{did_you_mean(heading(name), self.sheet.columns)}; correct the "
            "mapping."
            for name in sorted(self.block.columns)
            if self._heading(name) not in known
        ]

    def _heading(self, name: str) -> str:
        """Conditions compare names to the letter; fields forgive spaces and line ends."""
        return name if name in self.sheet.columns else heading(name)

    @cached_property
    def _base(self) -> pl.DataFrame:
        """Rows that `where` keeps: their position in the sheet, row number and patient id (null where empty)."""
        spec = self.block.fields["patient"]
        if spec.row_number:
            patient = self.sheet.row_numbers.cast(pl.String).alias("patient")
            base = pl.DataFrame({"row": self.sheet.row_numbers, "patient": "row-" + patient})
        elif spec.column is None:
            raise DataRefusedError(f"The mapping of centre '{self.centre}' gives 'patient' no column; name one.")
        else:
            texts = self.sheet.cells[self._heading(spec.column)].str.strip_chars()
            base = pl.DataFrame({"row": self.sheet.row_numbers, "patient": texts})
        base = base.with_row_index("position").with_columns(pl.col("patient").replace("", None))
        if self.block.where is None:
            return base
        self._refuse_unstored_condition()
        plain = self.sheet.cells.select(pl.all().str.strip_chars())
        return base.filter(plain.select(self.block.where.expression(dict(plain.schema)).alias("kept"))["kept"])

    def _refuse_unstored_condition(self) -> None:
        """A row that a condition cannot judge for want of a formula's value would vanish without a question."""
        columns = self.block.where.columns if self.block.where is not None else ()
        for name in sorted(self._heading(column) for column in columns):
            if (self.sheet.kinds[name] == int(Kind.UNSTORED)).any():
                raise DataRefusedError(
                    f"{self.place} column '{name}', which a `where` of the mapping reads, holds a formula without a "
                    "stored value; open and save the file in a spreadsheet program."
                )

    def _without_patient(self) -> list[pl.DataFrame]:
        column = self.block.fields["patient"].column
        rows = self._base.filter(pl.col("patient").is_null()).with_columns(source=pl.lit(self.source, dtype=pl.Int32))
        if column is None:
            return []
        unstored = self.sheet.kinds[self._heading(column)].gather(rows["position"]) == int(Kind.UNSTORED)
        return [
            row_queries(found, problem, centre=self.centre, table=self.block.table, field="patient")
            for found, problem in ((rows.filter(~unstored), NO_PATIENT), (rows.filter(unstored), UNSTORED_PATIENT))
        ]

    def _one_entry(
        self,
        fields: Mapping[str, FieldSpec],
        constants: Mapping[str, Any],
        queries: list[pl.DataFrame | None],
        used: list[tuple[str, str]],
        uncertain: set[str],
    ) -> pl.DataFrame:
        """Give the rows of the block, or of one entry of its `repeat`."""
        base = self._divided(fields)
        own = _deciding(self.block, fields)
        columns: dict[str, pl.Series] = {}
        states: dict[str, pl.Series] = {}
        for name, spec in fields.items():
            if spec.column is not None:
                used.append((name, self._heading(spec.column)))
            if name == "patient":
                continue
            if spec.column is None:
                constants = {**constants, name: self._row_or_constant(spec, base)}
                continue
            cells = self._cells(spec, base)
            converted = convert(cells, self._target(name, spec))
            columns[name], states[name] = converted.values, converted.states
            queries += self._questions(name, spec, base, cells, converted)
        frame = base.select("patient", "row").with_columns(
            **columns, **{name: self._constant(name, value) for name, value in constants.items()}
        )
        if self.block.complete:
            for name in own:
                doubtful = ~states[name].is_in([EMPTY]) & columns[name].is_null()
                uncertain.update(base.filter(doubtful)["patient"].drop_nulls().to_list())
        keep = pl.col("patient").is_not_null()
        if own and self.block.table != "patients":
            told = pl.any_horizontal(pl.col(name).is_not_null() for name in own)
            keep = keep & (told | self._unreadable_fact(own, states))
        return frame.filter(keep).with_columns(source=pl.lit(self.source, dtype=pl.Int32))

    def _unreadable_fact(self, own: Sequence[str], states: Mapping[str, pl.Series]) -> pl.Expr:
        """Mark rows whose cells hold something that cannot be read, in tables of dated facts.

        A progression with the date 31.02.2020 is still a progression: without its row, the endpoint would be
        censored as if nothing had been written.
        """
        if self.block.table not in DATED_FACTS:
            return pl.lit(False)
        unreadable = [states[name].is_not_null() & ~states[name].is_in([EMPTY, MISSING]) for name in own]
        return pl.any_horizontal(*(pl.lit(cells) for cells in unreadable))

    def _divided(self, fields: Mapping[str, FieldSpec]) -> pl.DataFrame:
        """Give the base rows, one a part of the cell where a field is split; column `part` holds its text."""
        split = next((spec for spec in fields.values() if spec.split is not None), None)
        if split is None or split.split is None:
            return self._base.filter(pl.col("patient").is_not_null())
        texts = self.sheet.cells[self._heading(str(split.column))].gather(self._base["position"])
        parts = self._base.with_columns(part=texts.str.split(split.split))
        parts = parts.explode("part").with_columns(pl.col("part").str.strip_chars().replace("", None))
        return parts.filter(pl.col("patient").is_not_null()).unique(
            ["position", "part"], keep="first", maintain_order=True
        )

    def _cells(self, spec: FieldSpec, base: pl.DataFrame) -> Cells:
        name = self._heading(str(spec.column))
        labels = self.sheet.labels.get(name, {})
        kinds = self.sheet.kinds[name].gather(base["position"])
        if spec.split is None:
            texts = self.sheet.cells[name].gather(base["position"])
        else:
            texts = base["part"]
            whole = self.sheet.cells[name].gather(base["position"]).str.strip_chars()
            kinds = pl.select(
                pl.when((texts == whole) | (kinds == int(Kind.UNSTORED)))
                .then(kinds)
                .otherwise(pl.lit(int(Kind.TEXT), dtype=pl.UInt8))
            ).to_series()
        return Cells(texts, kinds, labels, self.sheet.date_origin)

    def _target(self, name: str, spec: FieldSpec) -> Target:
        table, defaults = self.block.table, self.mapping.defaults
        exact = (table, name) in EXACT
        words = [*spec.missing, *(() if exact else defaults.missing)]
        missing = frozenset(fold_text(word) for word in words) | (frozenset() if exact else BLANK_WORDS)
        # The model's default separator is not a statement: where the mapping is silent the column itself is asked.
        stated = defaults.decimal if "decimal" in defaults.model_fields_set else None
        return Target(
            kind=field_kind(table, name, spec),
            codes=spec.folded_codes if spec.codes is not None else None,
            allowed=CODED.get((table, name), ()),
            missing=missing,
            exact=exact,
            factor=self._factor(name, spec),
            order=spec.dates or defaults.dates,
            pivot=BIRTH_PIVOT if name == "birth" else YEAR_PIVOT,
            use_month=table not in NEVER_FROM_MONTH,
            decimal=spec.decimal or stated,
            place=f"{self.place}, column '{spec.column}',",
        )

    def _factor(self, name: str, spec: FieldSpec) -> Decimal:
        column = CANONICAL[self.block.table].column(name)
        if spec.unit is None or column is None or column.unit is None:
            return Decimal(1)
        factors = UNITS.get(column.unit, {column.unit: Decimal(1)})
        if spec.unit not in factors:
            raise DataRefusedError(
                f"The mapping of centre '{self.centre}' gives {self.block.table}.{name} the unit '{spec.unit}', "
                f"which is not convertible to {column.unit}; use one of {', '.join(factors)}."
            )
        return factors[spec.unit]

    def _questions(
        self, name: str, spec: FieldSpec, base: pl.DataFrame, cells: Cells, converted: Converted
    ) -> Iterator[pl.DataFrame | None]:
        frame = base.select("patient", "row").with_columns(text=cells.texts, state=converted.states)
        yield cell_queries(
            frame, str(spec.column), centre=self.centre, table=self.block.table, field=name, source=self.source
        )
        if converted.column_problem is not None:
            problem = converted.column_problem
            message = f"Column '{spec.column}': {problem.sentence}."
            yield query(problem, message, centre=self.centre, source=self.source, table=self.block.table, field=name)

    def _row_or_constant(self, spec: FieldSpec, base: pl.DataFrame) -> Any:
        return base["row"] if spec.row_number else spec.constant

    def _constant(self, name: str, value: Any) -> pl.Expr | pl.Series:
        """Give a constant the type of its column; a text constant of a date column is its ISO date."""
        if isinstance(value, pl.Series):
            return value.cast(pl.String)
        column = CANONICAL[self.block.table].column(name) if self.block.table != "supplied" else None
        if column is None:
            return pl.lit(value)
        if column.dtype == pl.Date() and value is not None:
            return pl.lit(str(value)).str.to_date("%Y-%m-%d")
        if column.dtype == pl.String() and isinstance(value, int | float) and not isinstance(value, bool):
            return pl.lit(number_text(value))
        return pl.lit(value, dtype=column.dtype)


def field_kind(table: str, name: str, spec: FieldSpec) -> str:
    """Give the type word of a field: the schema's, the mapping's, or what a supplied value's codes or unit show."""
    column = CANONICAL[table].column(name) if table != "supplied" else None
    if column is not None:
        return next(word for word, dtype in FIELD_TYPES.items() if dtype == column.dtype)
    if spec.type is not None:
        return spec.type
    coded = [value for value in (spec.codes or {}).values() if value is not None]
    if coded and all(isinstance(value, bool) for value in coded):
        return "boolean"
    return "number" if spec.unit is not None and not coded else "text"


def _deciding(block: Block, fields: Mapping[str, FieldSpec]) -> list[str]:
    """Give the fields that decide whether a row exists: the split one, or the entry's own, else every mapped one."""
    mapped = [name for name, spec in fields.items() if spec.column is not None and name != "patient"]
    divided = [name for name in mapped if fields[name].split is not None]
    if divided:
        return divided
    own = [name for name in mapped if name not in block.fields]
    return own or mapped

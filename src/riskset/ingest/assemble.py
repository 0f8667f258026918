"""Puts what the blocks of one centre gave into canonical tables."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import polars as pl

from riskset.ingest.mapping import Extract
from riskset.ingest.numbers import Separator, read_number
from riskset.ingest.problems import Problem, row_queries
from riskset.protocol.mapping import Block
from riskset.tables import CANONICAL, ORGANS, empty, fit

REPEATED = Problem(
    "V01",
    "error",
    "excluded",
    "The patient id stands on several rows; the patient is left out until the centre says which is right.",
)
SAME = Problem(
    "repeated_row", "info", "reported", "The patient stands on several rows that say the same; the row counts once."
)
CONFLICT = Problem(
    "V38", "error", "excluded", "Another row of this patient gives a different value; only the first is used."
)
UNKNOWN = Problem(
    "unknown_patient",
    "error",
    "reported",
    "The patient is not in the centre's list of patients; please add or correct the id.",
)


@dataclass(slots=True)
class Centre:
    """What one centre's blocks gave so far, in the mapping's order."""

    id: str
    decimal: Separator | None = None
    parts: dict[str, list[pl.DataFrame]] = field(default_factory=dict)
    queries: list[pl.DataFrame | None] = field(default_factory=list)
    complete: set[str] = field(default_factory=set)
    uncertain: set[str] = field(default_factory=set)
    repeated: set[str] = field(default_factory=set)

    def add(self, block: Block, extract: Extract) -> None:
        """Take in what one block gave."""
        rows = extract.rows
        if block.table == "supplied":
            rows = _melted(rows, block, self.decimal)
        self.parts.setdefault(block.table, []).append(rows)
        self.queries += extract.queries
        self.uncertain |= extract.uncertain
        if block.complete:
            self.complete.add(block.table)

    def tables(self) -> dict[str, pl.DataFrame]:
        """Give the centre's canonical tables; every patient has one row in `patients`."""
        tables = {name: self._joined(name) for name in CANONICAL if name != "patients"}
        tables["patients"] = self._patients(tables)
        tables = {name: frame if name == "patients" else self._unrepeated(frame) for name, frame in tables.items()}
        tables["supplied"] = self._once(tables["supplied"], ["patient", "name"], "value", CONFLICT)
        tables["organs"] = self._completed(tables["organs"].unique(maintain_order=True), tables["patients"])
        for name, frame in tables.items():
            if name != "patients" and self.parts.get("patients"):
                strangers = frame.join(tables["patients"], on="patient", how="anti").unique(
                    ["patient", "source", "row"]
                )
                self.queries.append(row_queries(strangers, UNKNOWN, centre=self.id, table=name, field="patient"))
        return {
            name: _sorted(fit(tables[name].with_columns(centre=pl.lit(self.id)), CANONICAL[name])) for name in CANONICAL
        }

    def _joined(self, table: str) -> pl.DataFrame:
        schema = CANONICAL[table]
        parts = self.parts.get(table, [])
        keyed = [fit(part.with_columns(centre=pl.lit(self.id)), schema) for part in parts]
        frame = pl.concat(keyed, how="diagonal_relaxed") if keyed else empty(schema)
        if table == "organs":
            frame = frame.filter(pl.col("organ").is_not_null())
        return frame

    def _patients(self, tables: dict[str, pl.DataFrame]) -> pl.DataFrame:
        """Give one row a patient: blocks fill each other's gaps, the first one's row is the patient's origin.

        A centre whose mapping has no list of patients has those of its other tables.
        """
        schema = CANONICAL["patients"]
        parts = [fit(part.with_columns(centre=pl.lit(self.id)), schema) for part in self.parts.get("patients", [])]
        if not parts:
            seen = [frame.select("centre", "patient", "source", "row") for frame in tables.values()]
            return fit(pl.concat(seen).sort("source", "row", maintain_order=True), schema).unique(
                "patient", keep="first", maintain_order=True
            )
        facts = _facts([*parts, *tables.values()])
        merged = self._listed_once(parts[0], facts)
        for part in parts[1:]:
            merged = _filled(merged, self._listed_once(part, facts))
        return merged

    def _listed_once(self, frame: pl.DataFrame, facts: pl.DataFrame) -> pl.DataFrame:
        """Keep each patient's first row; ask about the others, or only report them where all mapped values agree."""
        again = frame.filter(~pl.col("patient").is_first_distinct())
        rows = frame.filter(pl.col("patient").is_in(again["patient"].unique().sort().to_list()))
        said = rows.select("patient", "source", "row").join(facts, on=["patient", "source", "row"], how="left")
        alike = said.group_by("patient").agg(pl.col("fact").n_unique() == 1).filter("fact")["patient"].sort().to_list()
        same = again.filter(pl.col("patient").is_in(alike))
        differing = again.filter(~pl.col("patient").is_in(alike))
        for found, problem in ((differing, REPEATED), (same, SAME)):
            self.queries.append(row_queries(found, problem, centre=self.id, table="patients"))
        self.repeated.update(again["patient"].to_list())
        return frame.unique("patient", keep="first", maintain_order=True)

    def _once(self, frame: pl.DataFrame, key: list[str], value: str, problem: Problem) -> pl.DataFrame:
        """Keep the first row of each key; ask about the others whose `value` differs."""
        first = frame.unique(key, keep="first", maintain_order=True)
        again = frame.filter(~pl.struct(key).is_first_distinct())
        kept = first.select(*key, pl.col(value).alias("kept"))
        again = again.join(kept, on=key, how="left").filter(pl.col(value).ne_missing(pl.col("kept")))
        self.queries.append(row_queries(again, problem, centre=self.id, table="supplied"))
        return first

    def _unrepeated(self, frame: pl.DataFrame) -> pl.DataFrame:
        """Where a patient's row stands twice in a sheet, the facts that both rows give alike count once."""
        facts = pl.struct(name for name in frame.columns if name != "row")
        return frame.filter(~pl.col("patient").is_in(sorted(self.repeated)) | facts.is_first_distinct())

    def _completed(self, organs: pl.DataFrame, patients: pl.DataFrame) -> pl.DataFrame:
        """Where the list of organs is complete, an organ that it does not name for a patient is known to be absent.

        All patients of the centre get these rows, with their own row of `patients` as origin; those for whom a cell of
        the list could not be read get none.
        """
        if "organs" not in self.complete:
            return organs
        certain = patients.filter(~pl.col("patient").is_in(sorted(self.uncertain)))
        every = certain.select("centre", "patient", "source", "row").join(
            pl.DataFrame({"organ": list(ORGANS)}), how="cross"
        )
        absent = every.join(organs, on=["patient", "organ"], how="anti").with_columns(present=pl.lit(False))
        return pl.concat([organs, fit(absent, CANONICAL["organs"])])


def _facts(frames: Iterable[pl.DataFrame]) -> pl.DataFrame:
    """Give all that each row of a sheet says of a patient, as one text: columns `patient`, `source`, `row`, `fact`."""
    place = ["patient", "source", "row"]
    parts = []
    for number, frame in enumerate(frames):
        told = [pl.col(name).cast(pl.String).fill_null("\x00") for name in frame.columns if name not in place]
        parts.append(frame.select(*place, fact=pl.concat_str(pl.lit(str(number)), *told, separator="\x1f")))
    together = pl.concat(parts)
    return together.group_by(place).agg(pl.col("fact").sort().str.join("\x1e"))


def _filled(first: pl.DataFrame, other: pl.DataFrame) -> pl.DataFrame:
    """Fill the first frame's gaps from the other's row of the same patient; add the patients whom it lacks."""
    names = [name for name in other.columns if name != "patient"]
    joined = first.join(other, on="patient", how="full", coalesce=True, suffix="\x00", maintain_order="left_right")
    # Origin is the first block's row, or the other's for a patient whom only the other has.
    return joined.select(
        "patient",
        *[pl.coalesce(name, f"{name}\x00") if name in first.columns else pl.col(name) for name in names],
        *[name for name in first.columns if name not in other.columns],
    )


def _melted(rows: pl.DataFrame, block: Block, decimal: Separator | None) -> pl.DataFrame:
    """Turn each field of a block over `supplied` into one row: name, value as text, the same as a number, unit."""
    units = {name: spec.unit for fields, _ in block.rows() for name, spec in fields.items()}
    schema = CANONICAL["supplied"].types
    parts = []
    for name in rows.columns:
        if name in ("patient", "source", "row"):
            continue
        series = rows[name]
        parts.append(
            rows.select("patient", "source", "row").with_columns(
                pl.lit(name).alias("name"),
                _as_text(series).alias("value"),
                _as_number(series, decimal).alias("number"),
                pl.lit(units.get(name), dtype=pl.String).alias("unit"),
            )
        )
    if not parts:
        return pl.DataFrame(schema={name: schema[name] for name in ("patient", "source", "row", "name", "value")})
    return pl.concat(parts).drop_nulls("value")


def _as_text(series: pl.Series) -> pl.Series:
    text = series.cast(pl.String)
    return text.str.strip_suffix(".0") if series.dtype.is_float() else text


def _as_number(series: pl.Series, decimal: Separator | None) -> pl.Series:
    """Give numbers as they are, Booleans as 1 and 0, and texts that are plain numbers; all else is null."""
    if series.dtype.is_numeric() or series.dtype == pl.Boolean:
        return series.cast(pl.Float64)
    if series.dtype != pl.String:
        return pl.Series([None] * series.len(), dtype=pl.Float64)
    texts = series.drop_nulls().unique(maintain_order=True).to_list()
    readings = {text: read_number(text, decimal=decimal) for text in texts}
    numbers = {text: float(r.value) for text, r in readings.items() if r.value is not None and r.note is None}
    return series.replace_strict(list(numbers), list(numbers.values()), default=None, return_dtype=pl.Float64)


def _sorted(frame: pl.DataFrame) -> pl.DataFrame:
    """Sort by centre and patient, then date, source and row where the table has them; further ties keep their order."""
    dates = [name for name in ("date", "start") if name in frame.columns]
    return frame.sort("centre", "patient", *dates, "source", "row", maintain_order=True)


def stacked(parts: Iterable[dict[str, pl.DataFrame]]) -> dict[str, pl.DataFrame]:
    """Put the centres' tables one below the other, sorted."""
    centres = list(parts)
    return {
        name: _sorted(fit(pl.concat([part[name] for part in centres], how="diagonal_relaxed"), schema))
        for name, schema in CANONICAL.items()
    }

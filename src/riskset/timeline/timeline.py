"""The step: drug records with INN, ATC code and class; patients with time zero and earlier CDK4/6 inhibitors."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from riskset.errors import DataRefusedError, did_you_mean
from riskset.protocol import MappingFile, Protocol
from riskset.protocol.model import IndexSpec
from riskset.tables import CANONICAL, KEY, PROVENANCE, Tables, empty, fit
from riskset.timeline.columns import columns
from riskset.timeline.dictionary import Drug
from riskset.timeline.matching import Names, names, read

_READINGS = {
    "centre": pl.String(),
    "name": pl.String(),
    "part": pl.Int32(),
    "inn": pl.String(),
    "atc": pl.String(),
    "drug_class": pl.String(),
    "known": pl.Boolean(),
    "nearest": pl.String(),
    "nearest_class": pl.String(),
}
_INTERNAL = ["part", "known", "nearest", "nearest_class"]
_TRUE = ["true", "1", "1.0", "yes"]
_FALSE = ["false", "0", "0.0", "no"]


def add_timeline(protocol: Protocol, mappings: Mapping[str, MappingFile], tables: Tables) -> dict[str, pl.DataFrame]:
    """Name the drugs, find time zero and look for a CDK4/6 inhibitor before it.

    Parameters
    ----------
    protocol
        The study; `protocol.index` says which row is time zero. Without it (supplied durations) the index columns
        are null, but for `index_drug`, which a centre may have supplied.
    mappings
        Centre id -> its mapping, whose `drugs` adds synonyms to the dictionary.
    tables
        Canonical tables as ingest gives them; not changed.

    Returns
    -------
    dict
        The tables, with `inn`, `atc`, `drug_class` in `drugs` (a name that stands for two drugs gives two rows of one
        source row), the columns of `columns(protocol)` in `patients`, and V20 queries for names that are unknown.
        Dates are calendar dates. Ties on the index date go to the lowest source, row, then name.

    Raises
    ------
    DataRefusedError
        The study's index table or date column does not exist.
    ConditionError
        `index.where` reads a column that the table lacks.
    """
    read_drugs = _read_names(tables["drugs"], mappings)
    drugs = read_drugs.drop(_INTERNAL)
    patients = tables["patients"].drop(list(columns(protocol)), strict=False)
    supplied = tables.get("supplied", empty(CANONICAL["supplied"]))
    patients = _add_index(protocol.index, {**tables, "drugs": drugs}, patients, supplied)
    patients = patients.join(_prior_cdk46(read_drugs, patients, supplied), on=KEY, how="left")
    patients = patients.join(_undecided(protocol.index, {**tables, "drugs": read_drugs}), on=KEY, how="left")
    dated, undecided = pl.col("index_date").is_not_null(), pl.col("undecided").fill_null(protocol.index is None)
    patients = patients.with_columns(treated=pl.when(dated).then(True).when(~undecided).then(False)).drop("undecided")
    added = columns(protocol)
    patients = patients.with_columns(pl.col(name).cast(dtype) for name, dtype in added.items())
    before = tables.get("queries", empty(PROVENANCE["queries"]))
    queries = pl.concat([before, _unknown_names(read_drugs)])
    return {**tables, "drugs": drugs, "patients": patients.sort(KEY), "queries": queries}


def _read_names(drugs: pl.DataFrame, mappings: Mapping[str, MappingFile]) -> pl.DataFrame:
    """Give the drug rows with what each name was read as; each distinct name of a centre is read once."""
    rows: list[tuple[object, ...]] = []
    distinct = drugs.select("centre", "name").drop_nulls().unique().sort("centre", "name")
    dictionaries: dict[str, Names] = {}
    for centre, name in distinct.iter_rows():
        if centre not in dictionaries:
            mapping = mappings.get(centre)
            dictionaries[centre] = names(mapping.drugs if mapping else None)
        for part, (_, reading) in enumerate(read(name, dictionaries[centre])):
            rows.append((centre, name, part, *_fields(reading.drug), *_nearest_fields(reading.nearest)))
    readings = pl.DataFrame(rows, schema=_READINGS, orient="row")
    plain = drugs.drop(["inn", "atc", "drug_class"], strict=False)
    order = ["centre", "patient", "start", "source", "row", "name", "part"]
    return plain.join(readings, on=["centre", "name"], how="left").sort(order, nulls_last=True)


def _fields(drug: Drug | None) -> tuple[str | None, str | None, str | None, bool]:
    return (drug.inn, drug.atc, drug.drug_class, True) if drug else (None, None, None, False)


def _nearest_fields(drug: Drug | None) -> tuple[str | None, str | None]:
    return (drug.inn or drug.drug_class, drug.drug_class) if drug else (None, None)


def _unknown_names(read_drugs: pl.DataFrame) -> pl.DataFrame:
    """Give one V20 query a row whose drug name (or a part of it) is unknown, naming the nearest drug."""
    unknown = read_drugs.filter(~pl.col("known")).unique(["centre", "patient", "source", "row", "name", "part"])
    remedy = pl.lit("add it to 'drugs' of the mapping if it is meant, or correct the name.")
    known = pl.concat_str(
        pl.lit("The drug's name is unknown; the nearest known drug is "), "nearest", pl.lit(": "), remedy
    )
    none = pl.concat_str(pl.lit("The drug's name is unknown and no known drug is near; "), remedy)
    queries = unknown.select(
        "centre",
        "patient",
        "source",
        "row",
        check=pl.lit("V20"),
        severity=pl.lit("warning"),
        action=pl.lit("set_missing"),
        table=pl.lit("drugs"),
        field=pl.lit("name"),
        message=pl.when(pl.col("nearest").is_null()).then(none).otherwise(known),
        value=pl.col("name"),
    )
    return fit(queries, PROVENANCE["queries"]).unique().sort("centre", "patient", "source", "row", "message")


def _add_index(index: IndexSpec | None, tables: Tables, patients: pl.DataFrame, supplied: pl.DataFrame) -> pl.DataFrame:
    """Add the index columns to the patients; where no row of a table gives the drug, the supplied one is read."""
    chosen = _index_rows(index, tables) if index is not None else _no_index()
    drug = (
        supplied.filter(pl.col("name") == "index_drug", pl.col("value").is_not_null())
        .sort(*KEY, "source", "row")
        .unique(KEY, keep="first", maintain_order=True)
    )
    known = names()
    read_as = {text: read(text, known)[0][1].drug for text in drug["value"].unique().sort().to_list()}
    inns = {text: found.inn if found else None for text, found in read_as.items()}
    inn = pl.col("value").replace_strict(inns, default=None, return_dtype=pl.String)
    stated = drug.select(*KEY, stated=inn)
    joined = patients.join(chosen, on=KEY, how="left").join(stated, on=KEY, how="left")
    return joined.with_columns(index_drug=pl.coalesce("index_drug", "stated")).drop("stated")


def _no_index() -> pl.DataFrame:
    texts = dict.fromkeys((*KEY, "index_drug"), pl.String())
    numbers = dict.fromkeys(("index_source", "index_row", "physician_line"), pl.Int32())
    return pl.DataFrame(schema={**texts, **numbers, "index_date": pl.Date()})


def _index_rows(index: IndexSpec, tables: Tables) -> pl.DataFrame:
    """Give one row a patient: the first or last dated row of the index table that meets the condition."""
    if index.table not in tables:
        raise DataRefusedError(
            f"The study's index names the table '{index.table}', which does not exist"
            f"{did_you_mean(index.table, tables)}; name a canonical table."
        )
    frame = tables[index.table]
    if frame.schema.get(index.date) != pl.Date():
        dates = [name for name, dtype in frame.schema.items() if dtype == pl.Date()]
        raise DataRefusedError(
            f"The study's index takes its date from '{index.date}', which is no date column of '{index.table}'"
            f"{did_you_mean(index.date, dates)}; name one of {', '.join(dates)}."
        )
    if index.where is not None:
        frame = frame.filter(index.where.expression(dict(frame.schema)))
    tie = [name for name in ("source", "row", "inn") if name in frame.columns]
    earliest = index.pick == "first"
    ordered = frame.filter(pl.col(index.date).is_not_null()).sort(
        *KEY, index.date, *tie, descending=[False, False, not earliest, *(False for _ in tie)], nulls_last=True
    )
    return ordered.unique(KEY, keep="first", maintain_order=True).select(
        *KEY,
        index_date=pl.col(index.date),
        index_source=pl.col("source"),
        index_row=pl.col("row"),
        index_drug=_column(frame, "inn", pl.String()),
        physician_line=_column(frame, "line", pl.Int32()),
    )


def _undecided(index: IndexSpec | None, tables: Tables) -> pl.DataFrame:
    """Give the patients with a row that is or may be an index row, though no index date comes of it.

    It is one where it meets the condition without a date. It may be one where the condition cannot be told: of a drug,
    as long as its class (the nearest known drug's, where the name is unknown) is one that index drugs have; without a
    class only an undated record may.
    """
    if index is None:
        return pl.DataFrame(schema={**dict.fromkeys(KEY, pl.String()), "undecided": pl.Boolean()})
    frame = tables[index.table]
    meets = index.where.expression(dict(frame.schema)).cast(pl.Boolean) if index.where is not None else pl.lit(True)
    frame = frame.with_columns(meets.alias("meets"), pl.col(index.date).is_null().alias("undated"))
    possible = pl.lit(True)
    if index.table == "drugs":
        classes = frame.filter("meets")["drug_class"].drop_nulls().unique().to_list()
        its_class = pl.coalesce("drug_class", "nearest_class")
        possible = its_class.is_in(classes).fill_null(pl.col("undated"))
    rows = frame.filter((pl.col("meets") & pl.col("undated")) | (pl.col("meets").is_null() & possible))
    return rows.select(*KEY, undecided=pl.lit(True)).unique().sort(KEY)


def _column(frame: pl.DataFrame, name: str, dtype: pl.DataType) -> pl.Expr:
    return pl.col(name) if name in frame.columns else pl.lit(None, dtype=dtype)


def _prior_cdk46(read_drugs: pl.DataFrame, patients: pl.DataFrame, supplied: pl.DataFrame) -> pl.DataFrame:
    """Say for each patient whether a CDK4/6 inhibitor was given before the index date, in any setting.

    True: a record starts before it, or ended by it though its start is unknown, or the centre says so. Null (unknown):
    no index date; a record without dates that could lie before it; an unread name whose nearest known drug is a CDK4/6
    inhibitor. What the centre supplied settles an unknown. False: none of these.
    """
    index = patients.select(*KEY, "index_date", "index_source", "index_row", "index_drug")
    sure = pl.col("drug_class").eq_missing(pl.lit("cdk46"))
    perhaps = pl.col("nearest_class").eq_missing(pl.lit("cdk46"))
    is_index_row = pl.col("source").eq_missing(pl.col("index_source")) & pl.col("row").eq_missing(pl.col("index_row"))
    records = read_drugs.filter(sure | perhaps).join(index, on=KEY, how="inner")
    # One source row may hold several drugs: only the index drug's own record is the index row itself.
    records = records.filter(~(is_index_row & pl.col("start").eq_missing(pl.col("index_date")) & sure))
    starts_before = pl.col("start") < pl.col("index_date")
    ended_by = pl.col("start").is_null() & (pl.col("stop") <= pl.col("index_date")).fill_null(False)
    could_be = pl.col("start").is_null() | starts_before
    found = records.group_by(KEY).agg(
        before=(sure & (starts_before | ended_by)).fill_null(False).any(),
        unknown=could_be.fill_null(True).any(),
    )
    told = (
        supplied.filter(pl.col("name") == "prior_cdk46")
        .select(*KEY, "source", "row", told=_truth(pl.col("value")))
        .drop_nulls("told")
        .group_by(KEY)
        .agg(pl.col("told").any())  # of several statements one "yes" is enough
    )
    none = pl.col("index_date").is_not_null() & ~pl.col("unknown").fill_null(False)
    derived = pl.when(pl.col("before").fill_null(False)).then(True).when(none).then(False)
    return (
        index.join(found, on=KEY, how="left")
        .join(told, on=KEY, how="left")
        .with_columns(derived=derived)
        .select(
            *KEY,
            prior_cdk46=pl.when(pl.col("derived") | pl.col("told"))
            .then(True)
            .otherwise(pl.coalesce("derived", "told")),
        )
        .sort(KEY)
    )


def _truth(text: pl.Expr) -> pl.Expr:
    """Read a supplied yes or no after the mapping's codes; anything else is null."""
    plain = text.str.strip_chars().str.to_lowercase()
    return pl.when(plain.is_in(_TRUE)).then(True).when(plain.is_in(_FALSE)).then(False)

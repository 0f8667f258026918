"""Which sample speaks for a patient at time zero: the policies, and one executor for every biomarker.

Samples after the index date (plus the days of grace) are never looked at, whatever the policy.
"""

from __future__ import annotations

import polars as pl

from riskset.biomarkers.specs import SpecimenSpec
from riskset.tables import KEY

# Samples within this many days of the latest count as taken together.
TOGETHER_DAYS = 30

NO_SAMPLE = "no sample"
NO_INDEX = "no index date"
NOT_BEFORE = "no sample before index"
NO_PRIMARY = "no primary sample before index"
UNDATED = "several samples without a date"

_REASONS = {
    "latest_before_index": "latest sample before index",
    "metastasis_first": "latest sample before index, metastasis first",
    "primary_only": "first primary sample",
    "highest": "highest of the samples before index",
}
ONLY_SAMPLE = "only sample, without a date"
NO_INDEX_IN_STUDY = "only sample, in a study without index dates"

# Places of a sample in time.
_BEFORE, _AFTER, _UNPLACED = "before", "after", "unplaced"


def place(samples: pl.DataFrame, patients: pl.DataFrame, spec: SpecimenSpec, *, has_index: bool) -> pl.DataFrame:
    """Add `who`, `index_date` and `place` to samples: before, after, or unplaced where the sample has no date.

    In a study without index dates every sample is unplaced. The place is null where a study has index dates but the
    patient has none. `who` is the patient's number in `numbered`: one small number to join by, not two texts.
    """
    joined = samples.join(numbered(patients).select(*KEY, "who", "index_date"), on=KEY, how="inner")
    if not has_index:
        return joined.with_columns(place=pl.lit(_UNPLACED))
    last = pl.col("index_date") + pl.duration(days=spec.grace_days)
    where = (
        pl.when(pl.col("index_date").is_null())
        .then(None)
        .when(pl.col("date").is_null())
        .then(pl.lit(_UNPLACED))
        .when(pl.col("date") <= last)
        .then(pl.lit(_BEFORE))
        .otherwise(pl.lit(_AFTER))
    )
    return joined.with_columns(place=where)


def numbered(patients: pl.DataFrame) -> pl.DataFrame:
    """Give the patients sorted, with their number `who`."""
    return patients.sort(KEY).with_row_index("who")


def choose(placed: pl.DataFrame, patients: pl.DataFrame, spec: SpecimenSpec, *, has_index: bool) -> pl.DataFrame:
    """Choose one sample a patient.

    Parameters
    ----------
    placed
        Tested samples from `place`, with `sample` (a row number of its own), `date`, `tissue`, `source`, `row`,
        `score_rank` (higher = higher score) and `class_rank` (higher = higher class).
    patients
        All patients, `centre` and `patient`.
    spec
        The policy.
    has_index
        False in a study without index dates.

    Returns
    -------
    pl.DataFrame
        `centre, patient, who, sample, reason`, one row a patient, sorted; `sample` is null where none can speak, and
        the reason says why, or which policy chose it.
    """
    candidates = placed.filter(pl.col("place").is_in([_BEFORE, _UNPLACED]))
    if spec.specimen == "primary_only":
        candidates = candidates.filter(pl.col("tissue") == "primary")
    dated = candidates.filter(pl.col("place") == _BEFORE)
    if not has_index and spec.specimen == "primary_only":
        # The first primary sample needs the samples' own order alone.
        dated = candidates.filter(pl.col("date").is_not_null())
    by_date = _first(_POLICIES[spec.specimen](dated)).with_columns(reason=pl.lit(_REASONS[spec.specimen]))
    # An undated sample speaks only where no other could.
    undated = candidates.join(by_date, on="who", how="anti")
    alone = undated.filter(pl.len().over("who") == 1).select(
        "who", "sample", reason=pl.lit(ONLY_SAMPLE if has_index else NO_INDEX_IN_STUDY)
    )
    chosen = pl.concat([by_date, alone])
    several = undated.filter(pl.len().over("who") > 1).select("who").unique()
    return _with_reasons(chosen, several, placed, patients, spec)


def _with_reasons(
    chosen: pl.DataFrame, several: pl.DataFrame, placed: pl.DataFrame, patients: pl.DataFrame, spec: SpecimenSpec
) -> pl.DataFrame:
    none = NO_PRIMARY if spec.specimen == "primary_only" else NOT_BEFORE
    state = placed.group_by("who").agg(placeless=pl.col("place").is_null().any())
    why = (
        pl.when(pl.col("placeless").is_null())
        .then(pl.lit(NO_SAMPLE))
        .when(pl.col("placeless"))
        .then(pl.lit(NO_INDEX))
        .when(pl.col("several").fill_null(False))
        .then(pl.lit(UNDATED))
        .otherwise(pl.lit(none))
    )
    return (
        numbered(patients)
        .select(*KEY, "who")
        .join(chosen, on="who", how="left")
        .join(state, on="who", how="left")
        .join(several.with_columns(several=pl.lit(True)), on="who", how="left")
        .select(*KEY, "who", "sample", reason=pl.coalesce("reason", why))
        .sort("who")
    )


_TIE = ["source", "row", "sample"]


def _latest(samples: pl.DataFrame) -> pl.DataFrame:
    """Order by: the last 30 days first, in them metastasis before primary, then score, class, date."""
    last = pl.col("date").max().over("who")
    together = samples.filter(pl.col("date") >= last - pl.duration(days=TOGETHER_DAYS))
    return _ordered(together.with_columns(metastasis=_METASTASIS), ["metastasis", "score_rank", "class_rank", "date"])


def _metastasis_first(samples: pl.DataFrame) -> pl.DataFrame:
    return _ordered(samples.with_columns(metastasis=_METASTASIS), ["metastasis", "date", "score_rank", "class_rank"])


def _highest(samples: pl.DataFrame) -> pl.DataFrame:
    return _ordered(samples, ["class_rank", "score_rank", "date"])


def _first_primary(samples: pl.DataFrame) -> pl.DataFrame:
    age = samples.with_columns(age=-pl.col("date").dt.epoch("d"))
    return _ordered(age, ["age", "score_rank", "class_rank"])


_METASTASIS = (pl.col("tissue") == "metastasis").fill_null(False)


def _ordered(samples: pl.DataFrame, highest_first: list[str]) -> pl.DataFrame:
    descending = [False] + [True] * len(highest_first) + [False] * len(_TIE)
    return samples.sort(["who", *highest_first, *_TIE], descending=descending, nulls_last=True)


def _first(ordered: pl.DataFrame) -> pl.DataFrame:
    return ordered.unique("who", keep="first", maintain_order=True).select("who", "sample")


_POLICIES = {
    "latest_before_index": _latest,
    "metastasis_first": _metastasis_first,
    "primary_only": _first_primary,
    "highest": _highest,
}

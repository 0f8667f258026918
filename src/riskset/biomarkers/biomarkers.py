"""The step: samples with classes, patients with the class that holds at time zero."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from riskset.biomarkers import her2_patients, her2_samples, receptor_patients, receptor_samples
from riskset.biomarkers.specs import Her2Spec, HormoneReceptorsSpec
from riskset.protocol import MappingFile, Protocol, Spec
from riskset.tables import CANONICAL, KEY, PROVENANCE, Tables, empty

HER2 = "her2"
HORMONE_RECEPTORS = "hormone_receptors"

SPECS: dict[str, type[Spec]] = {HER2: Her2Spec, HORMONE_RECEPTORS: HormoneReceptorsSpec}

# One order for samples, whatever order they came in: key, date, place in the file, then the texts themselves, as one
# row of a sheet may hold several samples.
_SAMPLE_ORDER = [*KEY, "date", "source", "row", "tissue", "ihc", "ish", "er", "pr"]


def columns(protocol: Protocol) -> dict[str, pl.DataType]:
    """Give the columns that `add_biomarkers` adds to `patients` for the biomarkers that the study declares."""
    added: dict[str, pl.DataType] = {}
    her2, receptors = protocol.biomarkers.get(HER2), protocol.biomarkers.get(HORMONE_RECEPTORS)
    if isinstance(her2, Her2Spec):
        added |= her2_patients.patient_columns(her2)
    if isinstance(receptors, HormoneReceptorsSpec):
        added |= receptor_patients.patient_columns(receptors)
    return added


def add_biomarkers(protocol: Protocol, mappings: Mapping[str, MappingFile], tables: Tables) -> dict[str, pl.DataFrame]:
    """Classify every sample and choose, for each declared biomarker, the sample that speaks for the patient.

    Parameters
    ----------
    protocol
        The study; `protocol.biomarkers` says which biomarkers, with which scheme and policy.
    mappings
        Centre id -> its mapping, whose `her2` says what a lone plus and 0+ mean there.
    tables
        Canonical tables with `patients.index_date` (`timeline.add_timeline`); not changed.

    Returns
    -------
    dict
        The tables with the classes in `samples`, `columns(protocol)` in `patients`, and queries for what could not be
        read or does not agree. Without declared biomarkers they are as they came.

    Raises
    ------
    DataRefusedError
        The HER2 scheme divides IHC 0, but too few reports say whether cells were stained.
    """
    samples, patients = tables["samples"].sort(_SAMPLE_ORDER, nulls_last=True), tables["patients"]
    supplied = tables.get("supplied", empty(CANONICAL["supplied"]))
    asked: list[pl.DataFrame] = []
    has_index = protocol.index is not None
    her2, receptors = protocol.biomarkers.get(HER2), protocol.biomarkers.get(HORMONE_RECEPTORS)
    if isinstance(her2, Her2Spec):
        samples, of_samples = her2_samples.classify(samples, mappings)
        patients, of_patients = her2_patients.assign(samples, patients, supplied, her2, has_index=has_index)
        samples = samples.drop("her2_tested")
        asked += of_samples + of_patients
    if isinstance(receptors, HormoneReceptorsSpec):
        samples, of_samples = receptor_samples.classify(samples, receptors)
        patients, of_patients = receptor_patients.assign(samples, patients, supplied, receptors, has_index=has_index)
        samples = samples.drop("hr_tested")
        asked += of_samples + of_patients
    queries = tables.get("queries", empty(PROVENANCE["queries"]))
    if asked:
        order = [*KEY, "source", "row", "check", "field", "message", "value"]
        queries = pl.concat([queries, pl.concat(asked).sort(order, nulls_last=True)])
    return {**tables, "samples": samples, "patients": patients, "queries": queries}

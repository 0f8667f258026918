"""The output folder: whole or not at all, the same bytes for the same input, patient rows in `private/` alone."""

from __future__ import annotations

import hashlib
import json
import platform
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import metadata
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any

import polars as pl

import riskset
from riskset import report
from riskset.errors import UsageError
from riskset.ingest import write_query_list
from riskset.results import Results
from riskset.study.check_r import write_check_r
from riskset.study.output import MANIFEST, PRIVATE, STUDY_COPY
from riskset.study.trace import records_table

if TYPE_CHECKING:
    from riskset.study.study import Study

_PACKAGES = ("numpy", "scipy", "polars", "sqlglot", "pydantic", "vl-convert-python", "python-docx", "openpyxl")
# What operating systems leave in folders that somebody looks into.
_LITTER = frozenset({".DS_Store", "Thumbs.db", "desktop.ini"})
_TIMINGS = "timings.json"


def _json(value: Any) -> str:
    return json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False, default=str) + "\n"


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8", newline="\n")


def describe(study: Study, status: str) -> dict[str, Any]:
    """Give what the manifest says of the inputs: hashes, versions, seeds; no time of day, no path of a machine."""
    tables = study.state.tables
    files: dict[str, str] = {}
    if "sources" in tables:
        files = dict(zip(tables["sources"]["file"], tables["sources"]["sha256"], strict=True))
    return {
        "status": status,
        "study": study.protocol.study.id,
        "simulated": study.protocol.study.simulated,
        "riskset": riskset.__version__,
        "python": ".".join(platform.python_version_tuple()[:2]),
        "packages": {name: metadata.version(name) for name in _PACKAGES},
        "seed": study.protocol.study.seed,
        "inputs": {"study": dict(sorted(study.hashes.items())), "data": dict(sorted(files.items()))},
    }


def _outputs(folder: Path) -> dict[str, str]:
    return {path.relative_to(folder).as_posix(): _sha256(path) for path in sorted(folder.rglob("*")) if path.is_file()}


def _write_queries(folder: Path, study: Study) -> None:
    tables = study.state.tables
    if "queries" not in tables:
        return
    (folder / "queries").mkdir(parents=True, exist_ok=True)
    for centre, spec in study.protocol.centres.items():
        write_query_list(
            folder / "queries" / f"{centre}.xlsx",
            tables["queries"].filter(pl.col("centre") == centre),
            tables["sources"],
            tables["fields"],
            centre=spec.label or centre,
            sheets=tables["sheets"],
        )


def _write_patients(folder: Path, study: Study) -> None:
    state = study.state
    assert state.analysis_set is not None
    # `patients` of the analysis set carries the populations; those screened and lost stand beside them.
    members = state.analysis_set.patients
    populations = [name for name in members.columns if name.startswith("population_")]
    patients = state.tables["patients"].join(
        members.select(pl.col("centre").cast(pl.String), "patient", *populations), on=["centre", "patient"], how="left"
    )
    patients.write_parquet(folder / "patients.parquet")
    for name in ("samples", "outcomes", "candidates", "responses", "sources", "fields", "sheets"):
        state.tables[name].write_parquet(folder / f"{name}.parquet")
    records_table(state.tables).write_parquet(folder / "records.parquet")
    _write(folder / STUDY_COPY, study.text)
    state.tables["queries"].write_parquet(folder / "cleaning_log.parquet")


def _attrition(study: Study) -> list[dict[str, Any]]:
    return study.state.tables["attrition"].to_dicts()


def _fill(folder: Path, study: Study, renderers: report.Renderers) -> None:
    state, private = study.state, folder / PRIVATE
    assert state.results is not None
    assert state.analysis_set is not None
    private.mkdir()
    manifest = describe(study, "complete")
    timings = {name: seconds for name, seconds in study.timings.items() if name != "write"}
    with _timed(timings, "write_outline"):
        draft = report.Draft(
            protocol=study.protocol,
            results=state.results,
            findings=state.findings,
            verdicts=state.verdicts,
            manifest=manifest,
            renderers=renderers,
        )
    # Its figures are drawn beside all that follows, so the report itself comes last.
    with draft:
        with _timed(timings, "write_results"):
            _write_results(folder, study, state.results)
        with _timed(timings, "write_patients"):
            _write_patients(private, study)
        with _timed(timings, "write_queries"):
            _write_queries(private, study)
        with _timed(timings, "write_check_r"):
            write_check_r(private, study.protocol, state.analysis_set, state.results)
        with _timed(timings, "write_report"):
            draft.write(folder)
    with _timed(timings, "write_hashes"):
        manifest["outputs"] = _outputs(folder)
    _write(folder / MANIFEST, _json(manifest))
    _write(private / _TIMINGS, _json({name: round(seconds, 4) for name, seconds in timings.items()}))


def _write_results(folder: Path, study: Study, results: Results) -> None:
    _write(folder / "results.json", results.to_json())
    results.to_frame().write_parquet(folder / "results.parquet")
    _write(folder / "attrition.json", _json(_attrition(study)))
    _write(folder / "review.json", _json([finding.as_dict() for finding in study.state.findings]))


@contextmanager
def _timed(timings: dict[str, float], name: str) -> Iterator[None]:
    started = perf_counter()
    yield
    timings[name] = perf_counter() - started


def require_replaceable(out: Path) -> None:
    """Refuse to replace what riskset did not write, or what somebody has changed since.

    Raises
    ------
    UsageError
        `out` is a file, or holds something that a new run would destroy.
    """
    try:
        if out.exists() and not out.is_dir():
            raise UsageError(f"'{out}' is a file; name a folder for the output.")
        strange = _not_ours(out) if out.is_dir() else None
    except OSError as error:
        raise UsageError(f"'{out}' cannot be looked into ({error.strerror}); name another folder.") from error
    if strange is not None:
        raise UsageError(
            f"'{out}' holds '{strange}', which riskset did not write or which was changed since; move it away or name "
            "another folder for the output."
        )


def _not_ours(out: Path) -> str | None:
    """Give one file of a folder that is not as a run left it; None where all are."""
    try:
        manifest = json.loads((out / MANIFEST).read_text(encoding="utf-8"))
        known = dict(manifest["outputs"]) if "riskset" in manifest else None
    except (OSError, ValueError, KeyError, TypeError):
        known = None
    for path in sorted(out.rglob("*")):
        name = path.relative_to(out).as_posix()
        if path.is_dir() or path.name in _LITTER:
            continue
        if known is None:
            return name
        if name in (MANIFEST, f"{PRIVATE}/{_TIMINGS}"):
            continue
        if known.get(name) != _sha256(path):
            return name
    return None


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _swap(out: Path, fill: Callable[[Path, Study], None], study: Study) -> Path:
    """Fill a folder beside `out`, then put it in place; on any error nothing of `out` has changed."""
    require_replaceable(out)
    place = out.resolve()
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".riskset-tmp-", dir=place.parent) as beside:
            new, old = Path(beside) / "new", Path(beside) / "old"
            new.mkdir()
            fill(new, study)
            if place.exists():
                place.rename(old)
            try:
                new.rename(place)
            except OSError:
                if old.exists():
                    old.rename(place)
                raise
    except OSError as error:
        raise UsageError(
            f"The output folder '{out}' cannot be written ({error.strerror or type(error).__name__}); nothing there "
            "has changed; name another folder with --out."
        ) from error
    return out


def write_folder(out: Path, study: Study, renderers: report.Renderers | None = None) -> Path:
    """Write the whole output folder of a study that has run; renderers that nobody started are started here."""
    if renderers is not None:
        return _swap(out, lambda folder, study: _fill(folder, study, renderers), study)
    with report.Renderers() as started:
        return write_folder(out, study, started)


def write_refusal(out: Path, study: Study, why: str) -> Path:
    """Write the folder of a refused run: the manifest with the reason, and the queries found so far."""

    def fill(folder: Path, study: Study) -> None:
        _write_queries(folder / PRIVATE, study)
        _write(folder / MANIFEST, _json({**describe(study, "refused"), "reason": why, "outputs": _outputs(folder)}))

    return _swap(out, fill, study)

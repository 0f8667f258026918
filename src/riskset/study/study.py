"""`Study`: loading a study file with all that belongs to it, and running it step by step."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from threading import Event
from time import perf_counter
from typing import Any

from riskset import claims, covariates, review
from riskset.errors import CancelledError, ConditionError, Problem, StudyFileError, UsageError, did_you_mean
from riskset.progress import OnProgress, Progress, silent
from riskset.protocol import MappingFile, Protocol, check_conditions, load, load_mapping
from riskset.report import Renderers
from riskset.results import ResultRow
from riskset.study.folder import write_folder, write_refusal
from riskset.study.lock import change_note, plans, read_lock, write_lock
from riskset.study.members import COUNTS
from riskset.study.steps import STEPS, Inputs, State, refuse_stopped
from riskset.study.vocabulary import columns_before_covariates, index_columns, study_vocabulary, supplied_names


def read_text(path: Path, what: str) -> str:
    """Read a text file of the study; one sentence where it is absent or not UTF-8."""
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise UsageError(f"There is no {what} at '{path}'; check the path.") from error
    except IsADirectoryError as error:
        raise UsageError(f"'{path}' is a folder; name the {what} itself.") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"'{path.name}' is not UTF-8 text; save it as UTF-8.") from error
    except OSError as error:
        raise UsageError(f"The {what} '{path}' cannot be read ({error.strerror}); check the path.") from error


class Study:
    """A validated study: its protocol, mappings and claims, and the state of the steps run so far.

    Examples
    --------
    >>> study = Study.load("study.yaml")  # doctest: +SKIP
    >>> study.run()  # doctest: +SKIP
    >>> study.write("out")  # doctest: +SKIP
    """

    def __init__(self, path: Path, text: str, inputs: Inputs, hashes: dict[str, str]) -> None:
        self.path = path
        self.text = text
        self.inputs = inputs
        self.hashes = hashes
        self.state = State()
        # What a user has to know although nothing failed, one sentence each.
        self.notes: list[str] = []
        self.timings: dict[str, float] = {}
        self._done = 0
        self._data_at: tuple[tuple[str, int, int], ...] = ()

    @property
    def protocol(self) -> Protocol:
        """The study file as a frozen value."""
        return self.inputs.protocol

    @classmethod
    def load(cls, path: str | Path, data: str | Path | None = None) -> Study:
        """Load a study file, its mappings and claims, and check all conditions against the columns that will be there.

        Parameters
        ----------
        path : the study file.
        data : root of the paths in the mappings; default the study file's folder.

        Raises
        ------
        StudyFileError
            With all problems of the study file, its mappings and its claims, each with line and column.
        UsageError
            There is no study file or no data folder, or `study.lock` cannot be read.
        """
        path = Path(path)
        text = read_text(path, "study file")
        protocol = load(text, study_vocabulary(), file=path.name)
        hashes = {path.name: _sha256(text)}
        mappings, problems = _mappings(protocol, path.parent, hashes)
        problems += _unknown_rules(protocol)
        published = None
        if protocol.claims is not None:
            try:
                claims_text = read_text(path.parent / protocol.claims, "claims file")
                hashes[protocol.claims] = _sha256(claims_text)
                published = claims.load(claims_text, file=protocol.claims)
            except StudyFileError as error:
                problems += error.problems
            except UsageError as error:
                problems.append(protocol.locations.problem(("claims",), str(error)))
        if not problems:
            problems = _unknown_columns(protocol, mappings)
        if problems:
            raise StudyFileError(problems)
        lock = None if protocol.study.simulated else read_lock(path.parent)
        root = Path(data) if data is not None else path.parent
        if not root.is_dir():
            raise UsageError(f"There is no data folder at '{root}'; check --data.")
        study = cls(path, text, Inputs(protocol, mappings, root, published, plans(protocol, lock)), hashes)
        changed = change_note(protocol, lock)
        if changed is not None:
            study.notes.append(changed)
        return study

    def steps(self) -> tuple[str, ...]:
        """Give the names of the steps, in their order."""
        return tuple(step.name for step in STEPS)

    def run(self, until: str | None = None, *, on_progress: OnProgress = silent, cancel: Event | None = None) -> State:
        """Run the steps up to and with `until` (default all), reusing those done before on the same files.

        Raises
        ------
        DataRefusedError
            The data's structure does not fit, or a check's policy is to stop. What was read so far stays in `state`.
        CancelledError
            `cancel` was set; the steps done so far stay done.
        """
        names = self.steps()
        if until is not None and until not in names:
            raise UsageError(f"There is no step '{until}'{did_you_mean(until, names)}; steps are {', '.join(names)}.")
        data_now = self._fingerprint()
        if data_now != self._data_at:
            self.state, self._done, self._data_at = State(), 0, data_now
        last = len(STEPS) if until is None else names.index(until) + 1
        for position in range(self._done, last):
            if cancel is not None and cancel.is_set():
                raise CancelledError("The run was cancelled; nothing was written.")
            step = STEPS[position]
            on_progress(Progress(step.name, step.message, position, len(STEPS)))
            started = perf_counter()
            self.state = step.run(self.inputs, self.state, on_progress, cancel)
            self.timings[step.name] = perf_counter() - started
            if step.name.startswith("quality_"):
                refuse_stopped(self.state.tables)
            self._done = position + 1
        return self.state

    def write(self, out: str | Path, *, on_progress: OnProgress = silent, renderers: Renderers | None = None) -> Path:
        """Write the whole output folder, or nothing; runs what has not been run yet.

        On real data the first write also leaves `study.lock` beside the study file. `report.Renderers` that were
        started before the run are ready by now; without them they are started here, which takes a second longer.
        """
        self.run(on_progress=on_progress)
        on_progress(Progress("write", "Writing the report", len(STEPS), len(STEPS)))
        started = perf_counter()
        folder = write_folder(Path(out), self, renderers)
        unlocked = write_lock(self.path.parent, self.protocol, self.hashes[self.path.name])
        if unlocked is not None:
            self.notes.append(unlocked)
        self.timings["write"] = perf_counter() - started
        return folder

    def write_refusal(self, out: str | Path, error: Exception) -> Path:
        """Write the folder of a refused run: a manifest that says so, and the queries found so far."""
        return write_refusal(Path(out), self, str(error))

    def primary_missing(self) -> tuple[str, ...]:
        """Give the primary analyses that gave no estimate."""
        if self.state.results is None:
            return ()
        primary = [name for name, plan in self.inputs.plans.items() if plan == "primary"]
        results, analyses = self.state.results, self.protocol.analyses
        return tuple(
            name for name in primary if not has_estimate(results.select(analysis=name), self._contrast(analyses[name]))
        )

    def _contrast(self, spec: Any) -> str | None:
        """Give the statistic by which an analysis compares groups, None where it compares none."""
        groups = getattr(spec, "exposure", None) or getattr(spec, "within", None) or spec.by
        return _CONTRASTS.get(spec.kind) if groups or self.protocol.comparison is not None else None

    def _fingerprint(self) -> tuple[tuple[str, int, int], ...]:
        files = sorted({block.file for mapping in self.inputs.mappings.values() for block in mapping.blocks})
        found = []
        for name in files:
            path = self.inputs.data / name
            if path.is_file():
                stat = path.stat()
                found.append((name, stat.st_size, stat.st_mtime_ns))
        return (("", 0, 0), *found)


# By which statistic the kinds of analysis compare groups.
_CONTRASTS = {
    "survival": "hazard_ratio",
    "cox": "hazard_ratio",
    "subgroups": "hazard_ratio",
    "contrasts": "hazard_ratio",
    "schemes": "hazard_ratio",
    "response": "rate_difference",
}


def has_estimate(rows: Sequence[ResultRow], contrast: str | None) -> bool:
    """Tell whether an analysis gave its estimate: of its first population, by its first method, of its first variable.

    A covariate beside the exposure may separate without harm to it. Without a contrast anything that could be computed
    is an estimate; a median that is not reached is one too.

    Parameters
    ----------
    rows : the rows of the analysis.
    contrast : the statistic by which it compares groups; None where it compares none.
    """
    if contrast is None:
        return any(r.status in ("ok", "not_reached") for r in rows if r.statistic not in COUNTS)
    found = [r for r in rows if r.statistic == contrast and r.of is None]
    own = [r for r in found if _named(r) == _named(found[0])]
    return any(r.status == "ok" for r in own)


def _named(row: ResultRow) -> tuple[str | None, str | None, str | None]:
    return row.population, row.method, row.variable


def _mappings(protocol: Protocol, folder: Path, hashes: dict[str, str]) -> tuple[dict[str, MappingFile], list[Problem]]:
    """Load every centre's mapping, adding to the hashes; all problems are given, those of absent files too."""
    mappings: dict[str, MappingFile] = {}
    problems: list[Problem] = []
    for centre, spec in protocol.centres.items():
        if isinstance(spec.mapping, MappingFile):
            mappings[centre] = spec.mapping
            continue
        try:
            text = read_text(folder / spec.mapping, f"mapping of centre '{centre}'")
            hashes[spec.mapping] = _sha256(text)
            mappings[centre] = load_mapping(text, file=spec.mapping)
        except StudyFileError as error:
            problems += error.problems
        except UsageError as error:
            problems.append(protocol.locations.problem(("centres", centre, "mapping"), str(error)))
    return mappings, problems


def _unknown_rules(protocol: Protocol) -> list[Problem]:
    """Give the answers that belong to no rule: nobody would ever read them."""
    return [
        protocol.locations.problem(
            ("review", name),
            f"There is no review rule '{name}'{did_you_mean(name, review.RULES)}; rules are {', '.join(review.RULES)}.",
            key=True,
        )
        for name in protocol.review
        if name not in review.RULES
    ]


def _unknown_columns(protocol: Protocol, mappings: dict[str, MappingFile]) -> list[Problem]:
    """Give what conditions and covariates read but no step will give."""
    known = columns_before_covariates(protocol, mappings)
    # A covariate's problem names it; the study file says where it stands.
    found = [
        protocol.locations.problem(tuple(problem.path.split(".", 1)), problem.message, key=True)
        for problem in covariates.problems(protocol, known, supplied_names(mappings))
    ]
    if protocol.index is not None and protocol.index.where is not None:
        try:
            protocol.index.where.check(index_columns(protocol))
        except ConditionError as error:
            found.append(protocol.locations.problem(("index", "where"), str(error)))
    return found or check_conditions(protocol, {**known, **covariates.columns(protocol)})


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8")).hexdigest()

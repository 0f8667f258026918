"""Which sample speaks for a patient at time zero, and the level that the patient gets."""

from __future__ import annotations

from datetime import date, timedelta

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from riskset.biomarkers import add_biomarkers, columns
from riskset.errors import DataRefusedError, StudyFileError
from riskset.tables import CANONICAL
from small_tables import by_patient

from .builders import checks, mapping, study, with_index

HEADER = "patient | date | tissue | ihc | ish\n"
INDEX = "2020-06-30"


def run(samples: str, spec: str = "her2: {}", *, index: str | None = INDEX, in_study: bool = True, supplied: str = ""):
    """Classify patient p1."""
    rows = "\n".join(f"p1 | {line.strip()}" for line in samples.splitlines() if line.strip())
    values = "patient | name | value\n" + (f"p1 | her2 | {supplied}" if supplied else "")
    made = with_index({"p1": index}, samples=HEADER + rows, supplied=values)
    return add_biomarkers(study(spec, index=in_study), {"a": mapping()}, made)


def level(done) -> tuple[str | None, str]:
    return by_patient(done["patients"], "her2", "her2_reason")["p1"]


LATEST = "latest sample before index"


@pytest.mark.parametrize(
    ("samples", "expected"),
    [
        # the last before the index, on its day too; never one after it
        ("2018-01-01 | primary | 0 |\n2020-05-01 | primary | 1+ |", ("low", LATEST)),
        ("2018-01-01 | primary | 0 |\n2020-06-30 | primary | 1+ |", ("low", LATEST)),
        ("2018-01-01 | primary | 0 |\n2020-07-01 | primary | 1+ |", ("zero", LATEST)),
        ("2020-07-01 | metastasis | 1+ |", (None, "no sample before index")),
        # within 30 days: metastasis first, then the higher score
        ("2020-05-01 | metastasis | 0 |\n2020-05-31 | primary | 1+ |", ("zero", LATEST)),
        ("2020-05-01 | metastasis | 0 |\n2020-06-01 | primary | 1+ |", ("low", LATEST)),
        ("2020-05-01 | primary | 1+ |\n2020-05-20 | primary | 0 |", ("low", LATEST)),
        ("2020-05-01 | metastasis | 0 |\n2020-05-01 | metastasis | 1+ |", ("low", LATEST)),
        # the last tested sample decides even where it is not settled
        ("2018-01-01 | primary | 1+ |\n2020-05-01 | primary | 2+ |", (None, "indeterminate")),
        ("2018-01-01 | primary | 1+ |\n2020-05-01 | primary | neg |", (None, "negative without a score")),
        ("2018-01-01 | primary | 1+ |\n2020-05-01 | primary | see report |", (None, "result cannot be read")),
        # a sample without a HER2 result is no HER2 sample
        ("2018-01-01 | primary | 1+ |\n2020-05-01 | primary | |", ("low", LATEST)),
        ("2018-01-01 | primary | 1+ |\n2020-05-01 | primary | yapılmadı | yapılmadı", ("low", LATEST)),
        ("2020-05-01 | primary | |", (None, "no sample")),
        ("", (None, "no sample")),
        # positive
        ("2020-05-01 | primary | 3+ |", ("positive", LATEST)),
        ("2018-01-01 | primary | 3+ |\n2020-05-01 | metastasis | 1+ |", ("positive", "positive sample before index")),
        ("2018-01-01 | primary | 1+ |\n2020-07-01 | metastasis | 3+ |", ("low", LATEST)),
        # without a date only alone
        (" | primary | 1+ |", ("low", "only sample, without a date")),
        (" | primary | 1+ |\n2018-01-01 | primary | 0 |", ("zero", LATEST)),
        (" | primary | 1+ |\n2020-07-01 | primary | 0 |", ("low", "only sample, without a date")),
        (" | primary | 1+ |\n | metastasis | 1+ |", (None, "several samples without a date")),
        (" | primary | 3+ |\n2018-01-01 | primary | 0 |", (None, "positive sample without a date")),
        (" | primary | 3+ |\n2018-01-01 | primary | 3+ |", ("positive", LATEST)),
    ],
)
def test_latest_before_index(samples, expected):
    assert level(run(samples)) == expected


@pytest.mark.parametrize(
    ("policy", "samples", "expected"),
    [
        ("metastasis_first", "2018-01-01 | metastasis | 0 |\n2020-05-01 | primary | 1+ |", "zero"),
        ("metastasis_first", "2018-01-01 | metastasis | 0 |\n2019-05-01 | metastasis | 1+ |", "low"),
        ("metastasis_first", "2018-01-01 | primary | 0 |\n2020-07-01 | metastasis | 1+ |", "zero"),
        (
            "primary_only",
            "2015-01-01 | primary | 1+ |\n2018-01-01 | primary | 0 |\n2020-01-01 | metastasis | 0|",
            "low",
        ),
        ("primary_only", "2018-01-01 | metastasis | 0 |", None),
        ("primary_only", " | primary | 1+ |\n2018-01-01 | metastasis | 0 |", "low"),
        ("highest", "2015-01-01 | primary | 1+ |\n2018-01-01 | primary | 0 |", "low"),
        ("highest", "2015-01-01 | primary | 0 |\n2020-07-01 | primary | 1+ |", "zero"),
        ("highest", "2015-01-01 | primary | 1+ |\n2018-01-01 | primary | neg |", "low"),
        ("highest", "2015-01-01 | primary | 0 |\n2018-01-01 | primary | neg |", None),
        ("highest", "2015-01-01 | primary | 1+ |\n2018-01-01 | primary | 2+ |", None),
    ],
)
def test_other_policies(policy, samples, expected):
    assert level(run(samples, f"her2: {{specimen: {policy}}}"))[0] == expected


def test_a_policy_that_looks_into_the_future_is_refused():
    with pytest.raises(StudyFileError, match="'ever' would let samples taken after the index date decide"):
        study("her2: {specimen: ever}")


@pytest.mark.parametrize(("grace", "expected"), [(0, None), (6, None), (7, "low")])
def test_days_of_grace(grace, expected):
    assert level(run("2020-07-07 | primary | 1+ |", f"her2: {{grace_days: {grace}}}"))[0] == expected


def test_grace_is_bounded_by_what_the_dates_are():
    with pytest.raises(StudyFileError, match="at most 14"):
        study("her2: {grace_days: 15}")
    assert study("her2: {grace_days: 30, sample_dates: report}").biomarkers["her2"].grace_days == 30
    with pytest.raises(StudyFileError, match="at most 30"):
        study("her2: {grace_days: 31, sample_dates: report}")


def test_a_positive_sample_in_the_past_counts_unless_the_study_says_otherwise():
    samples = "2018-01-01 | primary | 3+ |\n2020-05-01 | metastasis | 1+ |"
    done = run(samples)
    assert by_patient(done["patients"], "her2_class", "her2_row", "her2_tissue")["p1"] == ("POSITIVE", 1, "primary")
    kept = run(samples, "her2: {exclude_ever_positive: false}")
    assert by_patient(kept["patients"], "her2", "her2_class", "her2_row")["p1"] == ("low", "LOW", 2)


def test_without_a_date_of_the_patient_nothing_can_be_placed():
    assert level(run("2018-01-01 | primary | 1+ |", index=None)) == (None, "no index date")
    assert level(run(" | primary | 1+ |", index=None)) == (None, "no index date")


@pytest.mark.parametrize(
    ("samples", "spec", "expected"),
    [
        (" | primary | 1+ |", "her2: {}", "low"),
        ("2018-01-01 | primary | 1+ |", "her2: {}", "low"),
        ("2018-01-01 | primary | 1+ |\n2019-01-01 | primary | 0 |", "her2: {}", None),
        ("2018-01-01 | primary | 1+ |\n2019-01-01 | primary | 0 |", "her2: {specimen: primary_only}", "low"),
    ],
)
def test_in_a_study_without_index_the_only_sample_speaks(samples, spec, expected):
    done = run(samples, spec, index=None, in_study=False)
    assert level(done)[0] == expected
    assert done["queries"].is_empty()


def test_the_sample_is_kept_with_the_class():
    done = run("2018-01-01 | primary | 0 |\n2020-05-01 | metastasis | IHC 2+/FISH - |")
    names = ["her2_source", "her2_row", "her2_tissue", "her2_sample_date", "her2_score", "her2_ish", "her2_rule"]
    expected = (0, 2, "metastasis", date(2020, 5, 1), "2+", "NEG", "2d.two_plus.neg")
    assert by_patient(done["patients"], *names)["p1"] == expected


def test_an_undated_sample_is_asked_about():
    done = run(" | primary | 1+ |\n2018-01-01 | primary | 0 |")
    asked = done["queries"].filter(pl.col("check") == "her2_undated")
    assert asked.select("table", "field", "row").rows() == [("samples", "date", 1)]


ZERO_LOW = {"0": "zero", "0 (5%)": "zero", "0 (0%)": "zero", "1+": "low", "2+ ISH-": "low", "1-2+ ISH-": "low"}


@pytest.mark.parametrize(
    ("scheme", "levels"),
    [
        ("zero_low", ZERO_LOW),
        ("null_ultralow_low", {**ZERO_LOW, "0": None, "0 (5%)": "ultralow", "0 (0%)": "null"}),
        (
            "0_1_2",
            {
                "0": "ihc_0",
                "0 (5%)": "ihc_0",
                "0 (0%)": "ihc_0",
                "1+": "ihc_1",
                "2+ ISH-": "ihc_2",
                "1-2+ ISH-": None,
            },
        ),
        ("low_incl_ultralow", {**ZERO_LOW, "0": None, "0 (5%)": "low", "0 (0%)": "zero"}),
    ],
)
def test_schemes(scheme, levels):
    # five more of IHC 0 with a share, so that the scheme that divides IHC 0 is allowed
    texts = [*levels, *["0 (5%)"] * 5, "3+"]
    patients = {f"p{i}": INDEX for i in range(len(texts))}
    samples = HEADER + "\n".join(f"p{i} | 2020-01-01 | primary | {text} |" for i, text in enumerate(texts))
    protocol = study(f"her2: {{scheme: {scheme}}}")
    done = add_biomarkers(protocol, {}, with_index(patients, samples=samples))
    found = done["patients"].sort(pl.col("patient").str.slice(1).cast(pl.Int32))["her2"]
    assert found.to_list()[: len(levels)] == list(levels.values())
    assert found.to_list()[-1] == "positive"
    assert found.dtype.categories.to_list() == [*protocol.biomarkers["her2"].levels, "positive"]


def test_a_level_that_cannot_be_told_has_its_own_reason():
    done = run("2020-01-01 | primary | 0 |", "her2: {scheme: low_incl_ultralow}")
    assert level(done) == (None, "IHC 0 without a statement of staining")


@pytest.mark.parametrize(("unsaid", "refused"), [(1, False), (2, True)])
def test_dividing_ihc_0_is_refused_where_too_few_reports_speak_of_staining(unsaid, refused):
    texts = ["0 (5%)"] * 4 + ["0"] * unsaid
    samples = HEADER + "\n".join(f"p1 | 2020-01-01 | primary | {text} |" for text in texts)
    made = with_index({"p1": INDEX}, samples=samples)
    protocol = study("her2: {scheme: null_ultralow_low}")
    if refused:
        with pytest.raises(DataRefusedError, match="2 of 6 samples with IHC 0 do not say"):
            add_biomarkers(protocol, {}, made)
    else:
        assert level(add_biomarkers(protocol, {}, made))[0] == "ultralow"


@pytest.mark.parametrize(
    ("samples", "prefer", "supplied", "expected", "raised"),
    [
        ("", "derived", "low", ("low", "supplied"), []),
        ("", "derived", " LOW ", ("low", "supplied"), []),
        ("2020-01-01 | primary | |", "derived", "zero", ("zero", "supplied"), []),
        ("2020-01-01 | primary | 0 |", "derived", "low", ("zero", LATEST), ["her2_supplied"]),
        ("2020-01-01 | primary | 1+ |", "derived", "low", ("low", LATEST), []),
        ("2020-01-01 | primary | 0 |", "supplied", "low", ("low", "supplied"), ["her2_supplied"]),
        # neither an unsettled sample nor one after the index is replaced by what cannot be checked
        ("2020-01-01 | primary | 2+ |", "derived", "low", (None, "indeterminate"), []),
        ("2020-07-01 | primary | 1+ |", "derived", "low", (None, "no sample before index"), []),
        ("", "derived", "bcde", (None, "no sample"), ["her2_supplied_unknown"]),
    ],
)
def test_supplied_classes(samples, prefer, supplied, expected, raised):
    done = run(samples, f"her2: {{prefer: {prefer}}}", supplied=supplied)
    assert level(done) == expected
    assert checks(done) == raised


def test_a_supplied_class_leads_back_to_its_row():
    done = run("", supplied="low")
    found = by_patient(done["patients"], "her2_class", "her2_source", "her2_row", "her2_rule", "her2_score")
    assert found["p1"] == ("LOW", 0, 1, "supplied", None)


def test_the_columns_are_those_announced_and_only_for_what_is_declared():
    protocol = study("her2: {}\nhormone_receptors: {}")
    made = with_index({"p1": INDEX}, samples=HEADER + "p1 | 2020-01-01 | primary | 0 |")
    patients = add_biomarkers(protocol, {}, made)["patients"]
    announced = columns(protocol)
    assert {name: patients.schema[name] for name in announced} == announced
    assert set(patients.columns) == {*made["patients"].columns, *announced}
    assert [name for name in columns(study("her2: {}")) if not name.startswith("her2")] == []
    none = study("her2: {}").model_copy(update={"biomarkers": {}})
    assert add_biomarkers(none, {}, made)["patients"].equals(made["patients"])


def test_a_scheme_that_yaml_reads_as_a_number_is_understood():
    assert study("her2: {scheme: 0_1_2}").biomarkers["her2"].levels == ("ihc_0", "ihc_1", "ihc_2")


IHC = st.sampled_from(["0", "1+", "2+", "2+ FISH -", "3+", "neg", "pos", "see report", "", "0-1", "2-Jan"])
DAYS = st.one_of(st.none(), st.integers(-400, 0))
SAMPLES = st.lists(st.tuples(DAYS, st.sampled_from(["primary", "metastasis", None]), IHC), max_size=5)
POLICIES = st.sampled_from(["latest_before_index", "metastasis_first", "primary_only", "highest"])
ZERO = date.fromisoformat(INDEX)


def frame(rows: list[tuple[int | None, str | None, str]]) -> pl.DataFrame:
    """Give samples of p1, dated by days from the index date; the row number is the place in the list."""
    schema = CANONICAL["samples"].types
    written = [
        {
            "centre": "a",
            "patient": "p1",
            "source": 0,
            "row": row,
            "date": None if days is None else ZERO + timedelta(days=days),
            "tissue": tissue,
            "ihc": ihc or None,
        }
        for row, (days, tissue, ihc) in enumerate(rows, 1)
    ]
    return pl.DataFrame(written, schema=schema)


def assign(samples: pl.DataFrame, policy: str) -> dict[str, pl.DataFrame]:
    made = with_index({"p1": INDEX, "p2": INDEX}) | {"samples": samples}
    return add_biomarkers(study(f"her2: {{specimen: {policy}}}"), {"a": mapping()}, made)


@settings(max_examples=25)
@given(SAMPLES, POLICIES, st.integers(1, 500), IHC)
def test_a_sample_after_the_index_never_changes_the_baseline(rows, policy, later, ihc):
    before = assign(frame(rows), policy)["patients"]
    after = assign(frame([*rows, (later, "metastasis", ihc)]), policy)["patients"]
    assert after.drop("her2_reason").equals(before.drop("her2_reason"))


@settings(max_examples=25)
@given(SAMPLES, POLICIES, st.randoms(use_true_random=False))
def test_the_order_of_samples_changes_nothing(rows, policy, random):
    samples = frame(rows)
    order = list(range(samples.height))
    random.shuffle(order)
    one, other = assign(samples, policy), assign(samples[order], policy)
    for name in ("patients", "samples", "queries"):
        assert one[name].equals(other[name])


@settings(max_examples=25)
@given(SAMPLES.filter(bool), POLICIES, st.data())
def test_without_one_sample_the_others_keep_their_class(rows, policy, data):
    """No unreadable text becomes a class because another sample is gone; nor does a patient without readable ones."""
    gone = data.draw(st.integers(0, len(rows) - 1))
    samples = frame(rows)
    whole = assign(samples, policy)
    part = assign(samples.filter(pl.col("row") != gone + 1), policy)
    kept = whole["samples"].filter(pl.col("row") != gone + 1)
    assert part["samples"].equals(kept)
    readable = kept.filter(pl.col("her2_class").is_in(["ZERO", "LOW", "POSITIVE"]))
    if readable.is_empty():
        assert by_patient(part["patients"], "her2")["p1"] is None


@settings(max_examples=25)
@given(SAMPLES, POLICIES)
def test_zero_and_low_come_from_a_sample_of_that_class_before_the_index(rows, policy):
    done = assign(frame(rows), policy)
    found = by_patient(done["patients"], "her2", "her2_class", "her2_row", "her2_reason")
    her2, her2_class, row, reason = found["p1"]
    assert reason
    classes = dict(done["samples"].select("row", "her2_class").rows())
    if her2 is not None:
        assert her2_class == {"zero": "ZERO", "low": "LOW", "positive": "POSITIVE"}[her2]
        assert classes[row] == her2_class
    if her2 in ("zero", "low"):
        assert "POSITIVE" not in classes.values()
    assert found["p2"] == (None, "UNKNOWN", None, "no sample")

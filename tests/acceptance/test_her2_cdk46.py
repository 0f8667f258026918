"""The bundled study whole: every number of the article agrees, and stops agreeing when it should."""

from __future__ import annotations

from importlib import resources
from pathlib import Path
from random import Random

import polars as pl
import pytest

from riskset import claims, cohort
from riskset.analyses import run_all
from riskset.progress import silent
from riskset.results import Results
from riskset.study import State, Study

EXAMPLE = Path(str(resources.files("riskset") / "examples" / "her2_cdk46"))
KEY = ["centre", "patient"]


@pytest.fixture(scope="module")
def study() -> Study:
    study = Study.load(EXAMPLE / "study.yaml")
    study.run()
    return study


@pytest.fixture(scope="module")
def state(study: Study) -> State:
    return study.state


@pytest.fixture(scope="module")
def truth() -> pl.DataFrame:
    """What the script that wrote the raw files knows of each invented person."""
    return pl.read_csv(EXAMPLE / "truth.csv", infer_schema_length=None)


def test_every_number_of_the_article_agrees(state: State) -> None:
    assert len(state.verdicts) >= 31
    assert [(v.id, v.why) for v in state.verdicts if not v.agrees] == []


def moved(printed: str) -> list[str]:
    """Give a printed number with its last digit moved up and down by one."""
    decimals = len(printed.partition(".")[2])
    return [f"{float(printed) + step * 10.0**-decimals:.{decimals}f}" for step in (-1, 1)]


def test_moving_the_last_digit_of_any_claim_turns_it_to_no(study: Study) -> None:
    published = study.inputs.claims
    assert published is not None
    assert study.state.results is not None
    for claim in published.published:
        if claim.value is None:
            continue
        for value in moved(claim.value):
            changed = published.model_copy(update={"published": [claim.model_copy(update={"value": value})]})
            verdict = claims.compare(changed, study.state.results)[0]
            assert not verdict.agrees, f"{claim.id}: {claim.value} -> {value}"


def test_permuted_her2_labels_turn_verdicts_to_no(study: Study) -> None:
    tables = dict(study.state.tables)
    labels = tables["patients"].filter(pl.col("included"))["her2"].cast(pl.String).to_list()
    Random(1).shuffle(labels)
    people = tables["patients"].filter(pl.col("included")).select(KEY).with_columns(_her2=pl.Series(labels))
    dtype = tables["patients"].schema["her2"]
    tables["patients"] = (
        tables["patients"]
        .join(people, on=KEY, how="left")
        .with_columns(pl.coalesce(pl.col("_her2"), pl.col("her2").cast(pl.String)).cast(dtype).alias("her2"))
        .drop("_her2")
    )
    analysis_set = cohort.analysis_set(study.protocol, tables)
    assert study.inputs.claims is not None
    rows = run_all(study.protocol, analysis_set, study.inputs.plans, silent)
    verdicts = {v.id: v.agrees for v in claims.compare(study.inputs.claims, Results(rows))}
    # What does not look at HER2 stays; what does cannot all be right by chance.
    assert verdicts["pfs_all"]
    assert verdicts["patients"]
    assert sum(not agrees for agrees in verdicts.values()) >= 10


def test_the_right_people_are_included(state: State, truth: pl.DataFrame) -> None:
    eligible = truth.filter(pl.col("eligible").cast(pl.String).str.to_lowercase().is_in(["true", "1"]))
    included = state.tables["patients"].filter(pl.col("included"))
    expected = set(eligible.select(pl.col(KEY).cast(pl.String)).rows())
    assert set(included.select(KEY).rows()) == expected
    assert len(expected) == 212


def test_attrition_adds_up_and_every_loss_has_a_reason(state: State) -> None:
    flow = state.tables["attrition"]
    assert (flow["entered"] == flow["fails"] + flow["unknown"] + flow["kept"]).all()
    people = state.tables["patients"]
    lost = int(flow["fails"].sum() + flow["unknown"].sum())
    assert lost == people.height - 212 == people["lost_at"].drop_nulls().len()


def test_a_2_plus_without_hybridisation_is_never_low(state: State) -> None:
    samples = state.tables["samples"]
    open_ones = samples.filter((pl.col("her2_score") == "2+") & pl.col("her2_ish").is_in(["NOT_DONE", "MISSING"]))
    assert open_ones.height
    assert set(open_ones["her2_class"]) == {"INDETERMINATE"}


def test_checks_ask_the_centres_about_what_was_put_there_on_purpose(state: State) -> None:
    asked = set(state.tables["queries"]["check"])
    assert {"V01", "V03", "V04", "V05", "V06", "V07", "V14", "V16", "V31", "V32", "V33", "V47", "V51"} <= asked


def test_messages_never_hold_the_value(state: State) -> None:
    queries = state.tables["queries"].filter(pl.col("value").str.len_chars() > 3)
    told = queries.filter(pl.col("message").str.contains(pl.col("value"), literal=True))
    assert told.select("check", "message").rows() == []

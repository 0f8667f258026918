"""Attrition adds up, whatever is known of whom."""

from __future__ import annotations

import polars as pl
from hypothesis import given as given_
from hypothesis import settings
from hypothesis import strategies as st

from riskset.cohort import select
from riskset.tables import CANONICAL, fit
from small_tables import study, tables

truth = st.none() | st.booleans()
people = st.lists(st.tuples(st.sampled_from("ab"), truth, truth, truth), max_size=30)
CRITERIA = "eligibility: [{id: x, where: x}, {id: y, where: y}, {id: z, where: NOT z}]"


def run(persons):
    rows = [
        {"centre": c, "patient": f"p{n:02d}", "x": x, "y": y, "z": z, "source": 0, "row": n}
        for n, (c, x, y, z) in enumerate(persons, 1)
    ]
    types = {"centre": pl.String, "patient": pl.String, "x": pl.Boolean, "y": pl.Boolean, "z": pl.Boolean}
    frame = pl.DataFrame(rows, schema=types | {"source": pl.Int32, "row": pl.Int32})
    return select(study(CRITERIA), tables() | {"patients": fit(frame, CANONICAL["patients"])})


@settings(max_examples=80)
@given_(people)
def test_attrition_adds_up(persons):
    made = run(persons)
    flow, patients = made["attrition"], made["patients"]
    assert flow.height == 6  # three criteria in each centre, also where nobody is left
    for centre, rows in flow.group_by("centre"):
        rows = rows.sort("position")
        assert rows["entered"][0] == patients.filter(pl.col("centre") == centre[0]).height
        assert (rows["fails"] + rows["unknown"] + rows["kept"]).to_list() == rows["entered"].to_list()
        assert rows["entered"].to_list()[1:] == rows["kept"].to_list()[:-1]
        assert rows["kept"][-1] == patients.filter(pl.col("centre") == centre[0])["included"].sum()


@settings(max_examples=80)
@given_(people)
def test_each_patient_is_included_or_lost_once(persons):
    made = run(persons)
    lost = made["patients"].filter(~pl.col("included"))
    assert lost["lost_at"].null_count() == lost["lost_as"].null_count() == 0
    assert made["patients"].filter("included")["lost_at"].null_count() == made["patients"]["included"].sum()
    assert lost.height == made["attrition"].select(pl.col("fails", "unknown").sum()).sum_horizontal().item()
    everyone = made["patients"].filter((pl.col("x") & pl.col("y") & ~pl.col("z")).fill_null(False))
    assert everyone["patient"].to_list() == made["patients"].filter("included")["patient"].to_list()


@settings(max_examples=40)
@given_(people)
def test_the_order_of_patients_changes_no_count(persons):
    assert run(persons[::-1])["attrition"].equals(run(persons)["attrition"])

"""Laws of the covariates: what is known later never contradicts what was concluded before; dates may all be shifted."""

from __future__ import annotations

from datetime import date, timedelta

import polars as pl
from hypothesis import given as given_
from hypothesis import settings
from hypothesis import strategies as st

from riskset.covariates import add_covariates
from riskset.tables import BONE, CANONICAL, ORGANS, VISCERAL, fit
from small_tables import study, tables

knowledge = st.dictionaries(st.sampled_from(ORGANS), st.booleans())
ORGAN_RULES = """
covariates:
  default: {rule: visceral}
  strict: {rule: visceral, definition: strict}
  trial: {rule: visceral, definition: trial}
  n: {rule: n_organs, merge_pleura: false}
  bone_only: {rule: bone_only}
"""


def organs_of(known: dict[str, bool]) -> dict[str, object]:
    given = tables(patients="patient\np\n")
    rows = [
        {"centre": "a", "patient": "p", "organ": o, "present": v, "source": 0, "row": n}
        for n, (o, v) in enumerate(sorted(known.items()), 1)
    ]
    if rows:
        given["organs"] = fit(pl.DataFrame(rows), CANONICAL["organs"])
    made = add_covariates(study(ORGAN_RULES), given)["patients"]
    return made.select("default", "strict", "trial", "n", "bone_only").row(0, named=True)


@settings(max_examples=25)
@given_(knowledge)
def test_visceral_is_true_if_any_false_if_all_and_unknown_otherwise(known):
    found = organs_of(known)
    for definition, organs in VISCERAL.items():
        values = [known.get(organ) for organ in organs]
        expected = True if True in values else None if None in values else False
        assert found[definition] is expected


@settings(max_examples=25)
@given_(knowledge, st.fixed_dictionaries({organ: st.booleans() for organ in ORGANS}))
def test_learning_more_never_changes_what_was_known(known, rest):
    before, after = organs_of(known), organs_of(rest | known)
    assert None not in after.values()
    assert {k: v for k, v in before.items() if v is not None}.items() <= after.items()
    marrow = 1 if (rest | known)["bone"] and (rest | known)["bone_marrow"] else 0
    assert after["n"] == sum((rest | known).values()) - marrow
    assert after["bone_only"] is (after["n"] == 1 and any((rest | known)[organ] for organ in BONE))


RULES = """
covariates:
  age: {rule: age_at_index}
  setting: {rule: setting}
  partner: {rule: endocrine_partner}
  strict: {rule: visceral, definition: strict}
"""
offsets = st.integers(-400, 400)


@settings(max_examples=25)
@given_(st.tuples(offsets, offsets, offsets, offsets, offsets, offsets), st.integers(-30, 30))
def test_shifting_all_dates_by_whole_leap_cycles_changes_nothing(days, cycles):
    """28 years have the same number of days wherever no century year is skipped; ages in years need that."""

    def run(begin: date):
        def on(day: int) -> date:
            return begin + timedelta(days=day)

        key = {"centre": "a", "patient": "p", "source": 0, "row": 1}
        person = key | {"birth": on(days[0] - 18000), "diagnosis": on(days[1]), "metastatic": on(days[2])}
        drug = key | {"inn": "letrozole", "drug_class": "aromatase_inhibitor", "intent": "adjuvant"}
        rows = {
            "patients": person | {"index_date": on(0)},
            "drugs": drug | {"start": on(days[3]), "stop": on(days[4])},
            "organs": key | {"organ": "liver", "present": True, "date": on(days[5])},
        }
        given = tables() | {t: fit(pl.DataFrame([row]), CANONICAL[t]) for t, row in rows.items()}
        return add_covariates(study(RULES), given)["patients"].select("age", "setting", "partner", "strict").row(0)

    shift = (cycles % 2) * 28 * 365 + (cycles % 2) * 7
    assert run(date(2020, 3, 1) - timedelta(days=shift)) == run(date(2020, 3, 1))

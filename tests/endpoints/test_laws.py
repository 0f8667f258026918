"""Laws that hold for any dated facts, and a second, patient-by-patient way to the same outcomes."""

from __future__ import annotations

from datetime import date, timedelta

import polars as pl
from hypothesis import given as given_
from hypothesis import settings
from hypothesis import strategies as st

from riskset.endpoints import add_endpoints
from riskset.tables import CANONICAL, fit
from small_tables import study, tables

DAY_0 = date(2020, 1, 1)
MAX_GAP = 100
EXAMPLES = 8  # of many patients each: a run costs the same for one patient as for thirty
PFS = f"pfs: {{kind: pfs, also: [fda_a, fda_c_claims, new_therapy_event], max_gap_days: {MAX_GAP}}}"
ALL = PFS + ", os: {kind: os}, ttnt: {kind: ttnt}, orr: {kind: response, confirm: 28}"

days = st.integers(-20, 400)
people = st.lists(
    st.fixed_dictionaries(
        {
            "seen": st.lists(st.tuples(days, st.sampled_from(["CR", "PR", "SD", "PD", "NE", None])), max_size=6),
            "contacts": st.lists(st.integers(0, 450), max_size=2),
            "death": st.none() | st.integers(0, 450),
            "stop": st.none() | st.tuples(st.integers(1, 300), st.sampled_from(["progression", "toxicity"])),
            "next": st.none() | st.integers(1, 400),
        }
    ),
    min_size=8,
    max_size=30,
)
cutoffs = st.none() | st.integers(0, 450)


def protocol(cutoff: int | None, endpoints: str, begin: date = DAY_0):
    dco = f", data_cutoff: {begin + timedelta(days=cutoff)}" if cutoff is not None else ""
    head = f"riskset: 1\nstudy: {{id: t, title: T{dco}}}\ncentres: {{a: {{mapping: a.yaml}}}}\n"
    return study(head + f"endpoints: {{{endpoints}}}\n")


def frames(persons, begin: date = DAY_0, reverse: bool = False) -> dict[str, pl.DataFrame]:
    def on(day: int | None) -> date | None:
        return None if day is None else begin + timedelta(days=day)

    rows: dict[str, list[dict]] = {"patients": [], "assessments": [], "contacts": [], "drugs": []}
    for number, person in enumerate(persons):
        key = {"centre": "a", "patient": f"p{number}", "source": 0}

        def add(table: str, key=key, **values) -> None:
            rows[table].append(key | {"row": len(rows[table]) + 1} | values)

        add("patients", index_date=on(0), index_drug="palbociclib", physician_line=1)
        for day, response in person["seen"]:
            add("assessments", date=on(day), response=response)
        for day in person["contacts"]:
            add("contacts", date=on(day), status="alive")
        if person["death"] is not None:
            add("contacts", date=on(person["death"]), status="dead")
        stop, reason = person["stop"] or (None, None)
        index = {"inn": "palbociclib", "drug_class": "cdk46", "line": 1}
        add("drugs", **index, start=on(0), stop=on(stop), stop_reason=reason)
        if person["next"] is not None:
            further = {"inn": "capecitabine", "drug_class": "chemotherapy", "line": 2}
            add("drugs", **further, start=on(person["next"]), stop=None, stop_reason=None)
    further = {"inn": pl.String, "drug_class": pl.String, "index_date": pl.Date, "index_drug": pl.String}
    further |= {"physician_line": pl.Int32}
    made = tables()
    for name, given in rows.items():
        ordered = given[::-1] if reverse else given
        if ordered:
            schema = {c: (CANONICAL[name].types | further)[c] for c in ordered[0]}
            made[name] = fit(pl.DataFrame(ordered, schema=schema), CANONICAL[name])
    return made


def told(made) -> list[tuple]:
    columns = ["patient", "endpoint", "scheme", "days", "event", "cause", "reason", "source", "row"]
    return made["outcomes"].select(columns).rows() + made["responses"].drop("measurable").rows()


def pick(made, endpoint: str, scheme: str) -> dict[str, tuple]:
    rows = made["outcomes"].filter(pl.col("endpoint") == endpoint, pl.col("scheme") == scheme)
    return {r["patient"]: (r["days"], r["event"], r["reason"]) for r in rows.to_dicts()}


@settings(max_examples=EXAMPLES)
@given_(people, cutoffs, st.integers(-2000, 2000))
def test_shifting_all_dates_changes_nothing(persons, cutoff, shift):
    later = DAY_0 + timedelta(days=shift)
    here = add_endpoints(protocol(cutoff, ALL), frames(persons))
    there = add_endpoints(protocol(cutoff, ALL, later), frames(persons, later))
    assert told(there) == told(here)


@settings(max_examples=EXAMPLES)
@given_(people, cutoffs)
def test_the_order_of_rows_changes_nothing(persons, cutoff):
    one = add_endpoints(protocol(cutoff, ALL), frames(persons))
    other = add_endpoints(protocol(cutoff, ALL), frames(persons, reverse=True))
    for table in ("outcomes", "candidates", "responses"):
        assert other[table].equals(one[table])


@settings(max_examples=EXAMPLES)
@given_(people, cutoffs)
def test_each_outcome_rests_on_one_kept_fact_and_no_time_is_negative(persons, cutoff):
    made = add_endpoints(protocol(cutoff, ALL), frames(persons))
    outcomes = made["outcomes"]
    assert outcomes["days"].drop_nulls().min() >= 0
    if cutoff is not None:
        assert outcomes["days"].max() <= cutoff
    by = ["patient", "endpoint", "scheme"]
    kept = made["candidates"].filter("kept").select(*by, kept_row="row", kept_table="table")
    joined = outcomes.join(kept, on=by, how="left")
    assert joined.height == outcomes.height == kept.height
    assert joined.filter(pl.col("row").ne_missing(pl.col("kept_row"))).is_empty()


@settings(max_examples=EXAMPLES)
@given_(people, cutoffs)
def test_progression_free_survival_is_no_longer_than_survival(persons, cutoff):
    """True as long as nobody is seen after death or after the last contact; checks of the data ask about those."""
    consistent = []
    for person in persons:
        end = 450 if person["death"] is None else person["death"]
        seen = [(day, response) for day, response in person["seen"] if day <= end]
        consistent.append(person | {"seen": seen, "contacts": [450] if person["death"] is None else []})
    text = "pfs: {kind: pfs}, os: {kind: os}"
    made = add_endpoints(protocol(cutoff, text), frames(consistent))
    survival = pick(made, "os", "standard")
    for patient, (time, _, _) in pick(made, "pfs", "ema").items():
        assert time <= survival[patient][0]


@settings(max_examples=EXAMPLES)
@given_(people, st.integers(1, 60))
def test_facts_after_the_event_change_no_survival_time(persons, after):
    made = add_endpoints(protocol(None, PFS), frames(persons))
    ema = pick(made, "pfs", "ema")
    more = []
    for number, person in enumerate(persons):
        time, event, _ = ema[f"p{number}"]
        more.append(person | {"seen": [*person["seen"], (time + after, "PD")]} if event else person)
    assert pick(add_endpoints(protocol(None, PFS), frames(more)), "pfs", "ema") == ema


@settings(max_examples=EXAMPLES)
@given_(people, st.integers(1, 60), st.sampled_from(["PD", "death"]))
def test_an_event_after_the_stop_changes_nothing(persons, after, what):
    """Under FDA table A the new therapy (everyone has one here) stops the counting of facts."""
    seen = [(1, "SD")]  # so that the data allow the scheme before and after
    treated = [p | {"next": p["next"] or 150, "death": None, "seen": seen + p["seen"]} for p in persons]
    before = pick(add_endpoints(protocol(None, PFS), frames(treated)), "pfs", "fda_a")
    more = []
    for person in treated:
        late = person["next"] + after
        more.append(person | ({"death": late} if what == "death" else {"seen": [*person["seen"], (late, "PD")]}))
    assert pick(add_endpoints(protocol(None, PFS), frames(more)), "pfs", "fda_a") == before


def plainly(person, scheme: str, cutoff: int | None) -> tuple[int, int]:
    """Work out days and event of one patient by hand."""
    events = [(d, 0) for d, r in person["seen"] if r == "PD" and d > 0]
    if person["death"] is not None:
        events.append((person["death"], 1))
    stop, why = person["stop"] or (None, None)
    limits = [] if cutoff is None else [cutoff]
    if scheme == "new_therapy_event" and person["next"] is not None:
        events.append((person["next"], 2))
    if scheme.startswith("fda"):
        limits += [person["next"]] if person["next"] is not None else []
        limits += [stop] if why == "toxicity" or (why == "progression" and scheme == "fda_a") else []
        if scheme == "fda_c_claims" and why == "progression":
            events.append((stop, 3))
    limit = min(limits, default=10**6)
    seen = [min(d, 10**6 if cutoff is None else cutoff) for d, r in person["seen"] if r != "NE" and d >= 0]
    in_time = [d for d, _ in sorted(events) if d <= limit]
    if in_time:
        event = in_time[0]
        last = max((d for d, r in person["seen"] if r != "NE" and 0 <= d < event), default=0)
        if not (scheme.startswith("fda") and event - last > MAX_GAP):
            return event, 1
        limit = last
    return max((d for d in seen if d <= limit), default=0), 0


@settings(max_examples=EXAMPLES)
@given_(people, cutoffs)
def test_the_executor_agrees_with_working_each_patient_out_by_hand(persons, cutoff):
    certain = {"seen": [(5, "SD")], "contacts": [], "death": None, "stop": (30, "toxicity"), "next": 40}
    persons = [*persons, certain]  # so that the data allow all schemes
    made = add_endpoints(protocol(cutoff, PFS), frames(persons))
    for scheme in ("ema", "fda_a", "fda_c_claims", "new_therapy_event"):
        by_hand = {f"p{n}": plainly(person, scheme, cutoff) for n, person in enumerate(persons)}
        assert {p: v[:2] for p, v in pick(made, "pfs", scheme).items()} == by_hand

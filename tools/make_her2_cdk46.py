"""Write the raw files of the bundled study: `python tools/make_her2_cdk46.py [--out FOLDER]`.

Reads the simulated cohort (212 invented patients), invents some 80 further people who do not belong in the study, and
writes what six invented hospitals would have sent, each in its own way, plus `truth.csv`: who belongs, and what the
program must find. The same bytes come out at every run.
"""

from __future__ import annotations

import argparse
import csv
from pathlib import Path

from her2_cdk46_raw import ankara, bursa, cork, graz, izmir, leeds
from her2_cdk46_raw.dice import Dice
from her2_cdk46_raw.further import CENTRES, LOST, further_people
from her2_cdk46_raw.people import Person, person_from

EXAMPLE = Path(__file__).resolve().parent.parent / "src" / "riskset" / "examples" / "her2_cdk46"

WRITERS = {"ankara": ankara, "izmir": izmir, "bursa": bursa, "leeds": leeds, "cork": cork, "graz": graz}
SIMULATED_CENTRES = dict(zip(("C1", "C2", "C3", "C4", "C5", "C6"), CENTRES, strict=True))

# Share of cells left empty, in variables that none of the article's numbers depends on.
MISSING = {"ki67": 0.12, "menopause": 0.04, "ecog": 0.06, "histology": 0.03, "grade": 0.08}

# Slips of the pen, each of which the program must question and none of which may change a result: what -> how many of
# the cohort, and how many of the further people of which kind, at which centre.
COHORT_SLIPS = {
    "ankara": {"surgery": 1, "visceral": 1, "pfs_months": 2},
    "izmir": {"er_fraction": 1, "histology": 2, "organs": 1},
    "bursa": {"bone_only": 1},
    "graz": {"visceral": 1, "pfs_months": 1},
}
FURTHER_SLIPS = {
    ("ankara", "her2_three"): "dead_without_date",
    ("izmir", "her2_three"): "twice",
    ("bursa", "hr_negative"): "contact_early",
    ("cork", "her2_three"): "late_year",
    ("graz", "her2_three"): "diagnosis_year",
}
TRUTH = (
    "her2_group", "setting", "line", "n_organs", "visceral", "bone_only", "age", "cdk", "index_date", "pfs_days",
    "pfs_event", "os_days", "os_event", "bor",
)  # fmt: skip


def cohort(table: Path) -> list[Person]:
    """Read the simulated cohort, leave some cells empty and invent each patient's history."""
    with table.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        dice = Dice("missing", row["pid"])
        for name, share in MISSING.items():
            if dice.chance(share):
                row[name] = ""
    return [person_from(row, SIMULATED_CENTRES[row["centre"]]) for row in rows]


def add_slips(people: list[Person]) -> None:
    """Choose who gets which slip of the pen."""
    for centre, slips in COHORT_SLIPS.items():
        for slip, number in slips.items():
            able = [p for p in people if p.centre == centre and _can_have(slip, p)]
            able.sort(key=lambda p: Dice("slip", slip, p.row["pid"]).share())
            for person in able[:number]:
                person.row["slips"] = person.row.get("slips", "") + f" {slip}"
    for (centre, why), slip in FURTHER_SLIPS.items():
        able = [p for p in people if p.centre == centre and p.row.get("why") == why]
        able[0].row["slips"] = slip


def _can_have(slip: str, person: Person) -> bool:
    """Say whether the slip is possible and harmless for that patient."""
    if "why" in person.row or "slips" in person.row:
        return False
    if slip == "surgery":
        return person.row["setting"] == "recurrent"
    if slip == "er_fraction":
        return len(person.samples) == 1 and (person.samples[0].pr or 0) >= 10
    if slip == "bone_only":
        return person.row["n_organs"] != "1"
    return True


def number_people(people: list[Person]) -> None:
    """Give each the centre's own kind of id; the order in a hospital's list has nothing to do with eligibility."""
    people.sort(key=lambda p: Dice("order", p.centre, p.row["pid"]).share())
    patterns = {
        "ankara": "ANK-{:03d}",
        "izmir": "35{:04d}",
        "bursa": "{:d}",
        "leeds": "LTH{:05d}",
        "cork": "CK{:03d}",
        "graz": "G-{:03d}",
    }
    first = {"ankara": 11, "izmir": 207, "bursa": 1604, "leeds": 40127, "cork": 3, "graz": 18}
    numbers = dict(first)
    for person in people:
        person.id = patterns[person.centre].format(numbers[person.centre])
        numbers[person.centre] += Dice("step", person.centre, person.row["pid"]).pick((1, 1, 1, 2, 3))


def write_truth(path: Path, people: list[Person]) -> None:
    """Write who belongs in the study, why not, and the values that the program must find."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["centre", "patient", "simulated_id", "eligible", "why", "lost_at", "lost_as", *TRUTH])
        for person in people:
            why = person.row.get("why", "")
            lost = LOST[why] if why else ("", "")
            if person.slipped("twice"):
                lost = ("data_quality", "fails")  # left out before any criterion is looked at
            known = [person.row[name] if not why else "" for name in TRUTH]
            pid = "" if why else person.row["pid"]
            writer.writerow([person.centre, person.id, pid, 0 if why else 1, why, *lost, *known])


def main() -> None:
    parser = argparse.ArgumentParser(description="Write the raw files of the bundled study.")
    parser.add_argument("--out", type=Path, default=EXAMPLE, help="folder that receives raw/ and truth.csv")
    out: Path = parser.parse_args().out
    people = [*cohort(EXAMPLE / "simulated_patients.csv"), *further_people()]
    add_slips(people)
    number_people(people)
    folder = out / "raw"
    folder.mkdir(parents=True, exist_ok=True)
    ordered = []
    for centre in CENTRES:
        at_centre = sorted((p for p in people if p.centre == centre), key=lambda p: p.id)
        WRITERS[centre].write(folder, at_centre)
        ordered += at_centre
    write_truth(out / "truth.csv", ordered)


if __name__ == "__main__":
    main()

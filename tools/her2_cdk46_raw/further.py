"""The further people: invented patients who fail a criterion or of whom one criterion cannot be told.

Each is drawn as a row like those of the simulated cohort, gets a history in the same way, and is then changed in one
respect. Their outcomes are drawn from plain exponentials; nothing in the study's results depends on them.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import date

from her2_cdk46_raw.dice import Dice, after
from her2_cdk46_raw.people import DATA_CUTOFF, ORGANS, Drug, Person, Sample, person_from

# What is wrong -> how many at each centre. Where a centre's way of writing has no such thing, it has none.
CENTRES = ("ankara", "izmir", "bursa", "leeds", "cork", "graz")
NUMBERS: dict[str, tuple[int, int, int, int, int, int]] = {
    "hr_negative": (1, 1, 1, 1, 1, 1),
    "hr_unknown": (1, 0, 1, 1, 0, 1),
    "her2_three": (1, 1, 1, 1, 1, 1),
    "her2_amplified": (1, 1, 1, 1, 1, 0),
    "her2_once_positive": (1, 0, 0, 1, 0, 0),
    "her2_ish_absent": (2, 1, 1, 1, 1, 1),
    "her2_lone_plus": (1, 0, 0, 0, 0, 1),
    "her2_only_negative": (1, 1, 0, 0, 0, 1),
    "her2_absent": (1, 1, 1, 0, 1, 0),
    "her2_damaged": (1, 1, 1, 1, 0, 0),
    "her2_between": (0, 1, 0, 1, 0, 0),
    "her2_sample_late": (1, 1, 0, 1, 0, 0),
    "metastatic_date_absent": (1, 1, 0, 0, 1, 0),
    "never_metastatic": (1, 0, 0, 1, 0, 0),
    "abemaciclib_only": (1, 1, 1, 1, 1, 0),
    "too_early": (1, 1, 1, 0, 1, 1),
    "too_late": (1, 0, 1, 1, 0, 0),
    "line_five": (1, 1, 0, 1, 1, 0),
    "line_unknown": (0, 1, 1, 0, 0, 1),
    "cdk46_adjuvant": (1, 0, 0, 1, 0, 1),
    "abemaciclib_before": (0, 1, 1, 1, 0, 0),
    "cdk46_history_unknown": (1, 0, 0, 0, 0, 0),
    "birth_mistyped": (0, 0, 0, 0, 1, 0),
    "birth_absent": (0, 1, 0, 0, 0, 0),
}

# The criterion of the study that each of them meets first without passing, and how. Those without a palbociclib or
# ribociclib for metastatic disease have no time zero, so that nothing else can be told of them.
LOST: dict[str, tuple[str, str]] = {
    "hr_negative": ("hr_positive", "fails"),
    "hr_unknown": ("hr_positive", "unknown"),
    "her2_three": ("her2_class", "fails"),
    "her2_amplified": ("her2_class", "fails"),
    "her2_once_positive": ("her2_class", "fails"),
    "her2_ish_absent": ("her2_class", "unknown"),
    "her2_lone_plus": ("her2_class", "fails"),
    "her2_only_negative": ("her2_class", "unknown"),
    "her2_absent": ("her2_class", "unknown"),
    "her2_damaged": ("her2_class", "unknown"),
    "her2_between": ("her2_class", "unknown"),
    "her2_sample_late": ("her2_class", "unknown"),
    "metastatic_date_absent": ("metastatic", "fails"),
    "never_metastatic": ("treated", "fails"),
    "abemaciclib_only": ("treated", "fails"),
    "too_early": ("started_2018_2022", "fails"),
    "too_late": ("started_2018_2022", "fails"),
    "line_five": ("lines_1_to_4", "fails"),
    "line_unknown": ("lines_1_to_4", "unknown"),
    "cdk46_adjuvant": ("first_cdk46", "fails"),
    "abemaciclib_before": ("first_cdk46", "fails"),
    "cdk46_history_unknown": ("first_cdk46", "unknown"),
    "birth_mistyped": ("adult", "fails"),
    "birth_absent": ("adult", "unknown"),
}

# Two of them are men.
MEN = {("ankara", "too_early"), ("leeds", "line_five")}

IHC_WORDS = {
    "her2_three": ("3+", "not_done"),
    "her2_amplified": ("2+", "positive"),
    "her2_ish_absent": ("2+", "not_done"),
    "her2_lone_plus": ("+", "not_done"),
    "her2_only_negative": ("negative", "not_done"),
    "her2_absent": (None, None),
    "her2_damaged": ("damaged", "not_done"),
    "her2_between": ("0-1+", "not_done"),
}


def further_people() -> list[Person]:
    """Invent all of them, centre by centre."""
    people = []
    for position, centre in enumerate(CENTRES):
        for why, numbers in NUMBERS.items():
            for number in range(numbers[position]):
                people.append(_person(centre, why, number + 1))
    return people


def _person(centre: str, why: str, number: int) -> Person:
    pid = f"{centre}-{why}-{number}"
    dice = Dice("further", pid)
    person = person_from(_row(pid, why, dice), centre)
    person.row["why"] = why
    if (centre, why) in MEN:
        person.sex, person.gnrh, person.row["menopause"] = "male", None, ""
    if why in IHC_WORDS:
        _set_her2(person, *IHC_WORDS[why])
    elif why in CHANGES:
        CHANGES[why](person, dice)
    return person


def _row(pid: str, why: str, dice: Dice) -> dict[str, str]:
    """Draw a row with the columns of the simulated cohort."""
    line = dice.between(5, 6) if why == "line_five" else dice.pick((1, 1, 1, 1, 2, 2, 3))
    if why == "abemaciclib_before":
        line = 2
    later = ("cdk46_adjuvant", "her2_once_positive", "her2_sample_late")
    setting = "recurrent" if why in later else dice.pick(("recurrent", "de_novo"))
    her2 = dice.pick((("0", "not_done"), ("1+", "not_done"), ("2+", "negative")))
    adjuvant = setting == "recurrent" and (why == "cdk46_adjuvant" or dice.chance(0.85))
    resistance = dice.pick(("secondary", "sensitive")) if adjuvant else ("naive" if line == 1 else "secondary")
    row = {
        "pid": pid,
        "ihc": her2[0],
        "ish": her2[1],
        "her2_sample": "metastasis" if why in later[1:] else dice.pick(("primary", "primary", "metastasis")),
        "age": str(dice.between(34, 79)),
        "menopause": dice.pick(("pre", "post", "post")),
        "ecog": dice.pick(("0", "0", "1", "1", "2")),
        "histology": dice.pick(("IDC", "IDC", "IDC", "ILC", "other")),
        "grade": dice.pick(("1", "2", "2", "3")),
        "er_pct": str(dice.between(40, 100)),
        "pr_pct": str(dice.between(0, 95)),
        "ki67": str(dice.between(5, 55)),
        "setting": setting,
        "line": str(line),
        "cdk": dice.pick(("palbociclib", "ribociclib", "ribociclib")),
        "partner": dice.pick(("letrozole", "fulvestrant", "fulvestrant", "anastrozole")),
        "index_date": _index_day(why, dice).isoformat(),
        "measurable": dice.pick(("0", "1", "1", "1", "1")),
        "prior_adjuvant_et": "1" if adjuvant else "0",
        "endocrine_resistance": resistance,
        "her2_group": "",
    }
    row.update(_organs(dice))
    row.update(_times(row, dice))
    return row


def _index_day(why: str, dice: Dice) -> date:
    if why == "too_early":
        return after(date(2017, 3, 1), dice.between(0, 300))
    if why == "too_late":
        return after(date(2023, 1, 2), dice.between(0, 55))
    if why == "cdk46_adjuvant":
        return after(date(2021, 2, 1), dice.between(0, 500))
    return after(date(2018, 7, 1), dice.between(0, 1500))


def _organs(dice: Dice) -> dict[str, str]:
    shares = (0.64, 0.25, 0.28, 0.05, 0.02, 0.5, 0.05)
    present = [dice.chance(share) for share in shares]
    if not any(present):
        present[0] = True
    organs = {name: "1" if there else "0" for name, there in zip(ORGANS, present, strict=True)}
    number = sum(present)
    visceral = any(organs[name] == "1" for name in ("liver", "lung", "pleura", "brain"))
    organs["n_organs"] = str(number)
    organs["visceral"] = "1" if visceral else "0"
    organs["bone_only"] = "1" if number == 1 and organs["bone"] == "1" else "0"
    return organs


def _times(row: dict[str, str], dice: Dice) -> dict[str, str]:
    """Draw progression, death and follow-up, then what follows from them."""
    index = date.fromisoformat(row["index_date"])
    follow_up = max(20, (DATA_CUTOFF - index).days - dice.between(0, min(240, (DATA_CUTOFF - index).days // 2)))
    progression = max(35, int(-math.log(1 - dice.share()) * 600))
    survival = progression + max(20, int(-math.log(1 - dice.share()) * 1100))
    dead = survival <= follow_up
    end = min(survival, follow_up)
    progressed = progression < end - 15
    scanned = progression if progressed else max(end - dice.between(5, 60), end // 2)
    early = progressed and progression < 110
    best = "PD" if early else ("NE" if scanned < 79 else dice.pick(("PR", "PR", "PR", "SD", "CR")))
    kind = "PD" if progressed else ("death" if dead else "censored")
    stop = after(index, min(scanned + dice.between(1, 20), end)) if progressed else None
    following = after(stop, dice.between(3, 28)) if stop else None
    if following and following > after(index, end):
        following = None
    return {
        "pfs_type": kind,
        "pfs_event": "0" if kind == "censored" else "1",
        "pfs_days": str(end if kind == "death" else scanned),
        "os_event": "1" if dead else "0",
        "os_days": str(end),
        "bor": best,
        "last_assessment": after(index, scanned).isoformat(),
        "cdk_stop": stop.isoformat() if stop else "",
        "stop_reason": "progression" if stop else "ongoing",
        "next_therapy": dice.pick(("chemotherapy", "endocrine", "targeted")) if following else "none",
        "next_therapy_date": following.isoformat() if following else "",
    }


def _set_her2(person: Person, ihc: str | None, ish: str | None) -> None:
    """Change the deciding specimen and keep no other, so that nothing else can decide."""
    person.samples = person.samples[-1:]
    person.samples[0].ihc, person.samples[0].ish = ihc, ish


def _no_receptors(person: Person, _: Dice) -> None:
    for sample in person.samples:
        sample.er = sample.pr = 0


def _receptors_unknown(person: Person, _: Dice) -> None:
    for sample in person.samples:
        sample.er = sample.pr = None


def _once_positive(person: Person, _: Dice) -> None:
    assert person.diagnosis is not None
    last = person.samples[-1]
    last.ihc, last.ish = "1+", "not_done"
    person.samples = [Sample(after(person.diagnosis, 3), "primary", "3+", "not_done", 90, 40, 25), last]


def _sample_late(person: Person, dice: Dice) -> None:
    """Leave HER2 unwritten on the old primary; the biopsy that has it was taken under the index drug."""
    assert person.cdk.start is not None
    assert person.diagnosis is not None
    late = person.samples[-1]
    late.tissue = "metastasis"
    late.day = after(person.cdk.start, min(dice.between(15, 90), max(2, (person.last_contact - person.cdk.start).days)))
    person.samples = [Sample(after(person.diagnosis, 4), "primary", None, None, late.er, late.pr, None), late]


def _no_metastatic_date(person: Person, _: Dice) -> None:
    person.metastatic = None


def _never_metastatic(person: Person, _: Dice) -> None:
    """Turn her into a patient with early disease and an adjuvant inhibitor within a trial."""
    person.metastatic = person.progression = None
    person.cdk.intent = person.partner.intent = "adjuvant"
    person.cdk.line = person.partner.line = None
    person.cdk.inn = "palbociclib"
    person.earlier, person.following, person.scans, person.gnrh = [], [], [], None
    person.cdk.stop, person.cdk.reason = None, "ongoing"
    person.partner.stop, person.partner.reason = None, "ongoing"
    person.death = person.cause = None
    person.samples = person.samples[:1]
    person.samples[0].tissue = "primary"
    for organ in ORGANS:
        person.row[organ] = "0"
    person.row.update({"n_organs": "0", "visceral": "0", "bone_only": "0", "bor": "NE", "measurable": "0"})


def _abemaciclib(person: Person, _: Dice) -> None:
    person.cdk.inn = "abemaciclib"


def _line_unknown(person: Person, _: Dice) -> None:
    person.earlier = [drug for drug in person.earlier if drug.intent == "adjuvant"]
    for drug in (person.cdk, person.partner, *person.following, *([person.gnrh] if person.gnrh else [])):
        drug.line = None


def _cdk46_adjuvant(person: Person, dice: Dice) -> None:
    """Give an inhibitor beside the adjuvant endocrine therapy, stopped months before the relapse."""
    assert person.metastatic is not None
    name = dice.pick(("abemaciclib", "palbociclib"))
    stop = after(person.metastatic, -dice.between(120, 300))
    person.prior_cdk = Drug(name, after(stop, -dice.between(200, 400)), stop, "completed", "adjuvant", None)


def _abemaciclib_before(person: Person, _: Dice) -> None:
    """Give abemaciclib as the first line; the index drug is then a second inhibitor."""
    first = next(drug for drug in person.earlier if drug.line == 1)
    person.earlier.remove(first)
    person.prior_cdk = Drug("abemaciclib", first.start, first.stop, "toxicity", "metastatic", 1)


def _history_unknown(person: Person, _: Dice) -> None:
    """Note palbociclib, given elsewhere, without saying when: it may or may not have been before."""
    person.prior_cdk = Drug("palbociclib", None, None, None, "adjuvant", None)
    person.prior_cdk_known = False


def _birth_mistyped(person: Person, _: Dice) -> None:
    assert person.birth is not None
    person.birth = person.birth.replace(year=2009, day=min(person.birth.day, 28))


def _birth_absent(person: Person, _: Dice) -> None:
    person.birth = None


CHANGES: dict[str, Callable[[Person, Dice], None]] = {
    "hr_negative": _no_receptors,
    "hr_unknown": _receptors_unknown,
    "her2_once_positive": _once_positive,
    "her2_sample_late": _sample_late,
    "metastatic_date_absent": _no_metastatic_date,
    "never_metastatic": _never_metastatic,
    "abemaciclib_only": _abemaciclib,
    "line_unknown": _line_unknown,
    "cdk46_adjuvant": _cdk46_adjuvant,
    "abemaciclib_before": _abemaciclib_before,
    "cdk46_history_unknown": _history_unknown,
    "birth_mistyped": _birth_mistyped,
    "birth_absent": _birth_absent,
}

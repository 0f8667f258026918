"""Repeatable chance: one stream of numbers a key, so that a change at one patient moves no other."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import date, timedelta
from typing import TypeVar

SEED = 20250627
T = TypeVar("T")


class Dice:
    """A stream of chance for one key. Only `random()` is used: its values are the same in every Python version."""

    def __init__(self, *key: object) -> None:
        self._random = random.Random(f"{SEED}/" + "/".join(str(part) for part in key))

    def share(self) -> float:
        return self._random.random()

    def chance(self, probability: float) -> bool:
        return self._random.random() < probability

    def between(self, low: int, high: int) -> int:
        """Give a whole number from low to high, both included; low where high is below it."""
        return low + int(self._random.random() * (max(high, low) - low + 1))

    def pick(self, choices: Sequence[T]) -> T:
        return choices[int(self._random.random() * len(choices))]


def after(day: date, days: int) -> date:
    return day + timedelta(days=days)


def years_before(day: date, years: int) -> date:
    """Give the same day of an earlier year; 1 March where 29 February does not exist."""
    try:
        return day.replace(year=day.year - years)
    except ValueError:
        return date(day.year - years, 3, 1)

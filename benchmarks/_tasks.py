"""What is measured: the tasks, the numbers that programs must agree on, and what is to be reached."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Task:
    """One job that is given to every program that can do it.

    `agree` says which numbers of a result are compared and how far they may lie from R's before the result is marked:
    relative to the largest of them. Programs stop their iterations at different places, and most do not merge times
    that differ by rounding, hence the room.
    """

    name: str
    title: str
    agree: dict[str, float]
    unit: str = "run"


CURVE = {"survival": 1e-5}
SCORE = {"chi_square": 1e-3}
MODEL = {"coefficient": 1e-5}

TASKS = (
    Task("cox_20_days", "Cox, Efron, 1e6 people x 20 covariates, day times", MODEL),
    Task("cox_5_days", "Cox, Efron, 1e6 people x 5 covariates, day times", MODEL),
    Task("cox_20_continuous", "Cox, Efron, 1e6 people x 20 covariates, continuous times", MODEL),
    Task("cox_5_continuous", "Cox, Efron, 1e6 people x 5 covariates, continuous times", MODEL),
    Task("km_days", "Kaplan-Meier, 1e7 people, day times", CURVE),
    Task("km_continuous", "Kaplan-Meier, 1e7 people, continuous times", CURVE),
    Task("logrank_days", "Log-rank test of two groups, 1e7 people, day times", SCORE),
    Task("logrank_continuous", "Log-rank test of two groups, 1e7 people, continuous times", SCORE),
    # Random numbers differ between programs: the coefficients' spread and the P value agree as far as chance lets.
    Task("bootstrap", "Bootstrap of a Cox model, 212 patients x 6 covariates", {"spread": 0.35}, "fit"),
    Task("permutation", "Log-rank permutation test, 212 patients", {"p_value": 0.4}, "permutation"),
)


@dataclass(frozen=True)
class Target:
    """To be reached: at most `factor` times the time of a program (its route `route`), or of the fastest one."""

    task: str
    factor: float
    text: str
    program: str | None = None
    route: str | None = None


TARGETS = (
    Target("cox_20_days", 1 / 3, "1/3 of coxstream", "coxstream"),
    Target("cox_20_days", 1 / 20, "1/20 of R coxph", "r", "coxph"),
    Target("cox_5_days", 1.0, "below R's bare coxph.fit", "r", "coxph.fit"),
    Target("km_days", 1 / 20, "1/20 of lifelines", "lifelines"),
    Target("km_continuous", 1 / 2, "1/2 of the fastest"),
    Target("logrank_days", 1 / 20, "1/20 of lifelines", "lifelines"),
    Target("logrank_continuous", 1 / 2, "1/2 of the fastest"),
    Target("bootstrap", 1 / 3, "3 times the fits a second of survival (Rust)", "survival"),
    Target("permutation", 1 / 3, "1/3 of survival (Rust)", "survival"),
)


@dataclass(frozen=True)
class MemoryTarget:
    """To be reached: at most two times `bytes` of memory beyond the data."""

    task: str
    bytes: float


# X is a million people times 20 covariates of 8 bytes.
MEMORY_TARGET = MemoryTarget("cox_20_days", 1e6 * 20 * 8)
# The Cox model on the registry: memory of the whole process, and time beside that of reading the chunks alone.
REGISTRY_BYTES = 1e9
REGISTRY_TIMES = 2.0
# From a million people to ten million the time may grow by 10 to this power; sorting alone grows by 1.07.
STEEPEST = 1.1

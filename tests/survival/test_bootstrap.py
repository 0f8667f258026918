"""The bootstrap of the Cox model: draws, parity with fits to the drawn rows, intervals, degenerate data."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from riskset.errors import EngineError
from riskset.survival import CoxBootstrap, Surv, bootstrap_cox, fit_cox, kernels
from riskset.survival.bootstrap import _draw
from riskset.survival.kernels import kernel_mode

from .helpers import assert_close

N = 90


def sample(seed: int = 11) -> dict[str, Any]:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(N, 3))
    time = np.ceil(rng.exponential(30.0, N) / np.exp(x @ [0.6, -0.2, 0.0]))
    return {
        "time": time,
        "event": (rng.random(N) < 0.65).astype(int),
        "entry": np.floor(time * rng.random(N) * 0.5),
        "weight": rng.integers(2, 7, N) / 4.0,
        "x": x,
        "strata": rng.choice(["a", "b"], N),
        "cluster": rng.integers(0, 25, N),
    }


def surv_of_kind(kind: str) -> Surv:
    d = sample()
    if kind == "entry":
        return Surv(d["time"], d["event"], entry=d["entry"])
    if kind == "weight":
        return Surv(d["time"], d["event"], weight=d["weight"])
    if kind == "untied":
        return Surv(d["time"] + np.arange(N) / 1000.0, d["event"])
    return Surv(np.ceil(d["time"] / 20.0), d["event"]) if kind == "heavy ties" else Surv(d["time"], d["event"])


def run(surv: Surv, x: Any, mode: kernels.Mode, **options: Any) -> CoxBootstrap:
    with kernel_mode(mode):
        return bootstrap_cox(surv, x, **{"replicates": 12, "seed": 4, **options})


def assert_same(a: CoxBootstrap, b: CoxBootstrap) -> None:
    assert a.warnings == b.warnings
    assert np.array_equal(a.aliased, b.aliased)
    assert np.array_equal(a.infinite, b.infinite)
    assert np.array_equal(a.converged, b.converged)
    assert_close(a.coefficient, b.coefficient, 1e-10)


OPTIONS: dict[str, dict[str, Any]] = {
    "plain": {},
    "breslow": {"ties": "breslow"},
    "strata": {"strata": sample()["strata"]},
    "cluster": {"cluster": sample()["cluster"]},
    "both": {"strata": sample()["strata"], "cluster": sample()["cluster"]},
}


@pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS)
@pytest.mark.parametrize("kind", ["days", "heavy ties", "untied", "entry", "weight"])
def test_the_kernel_fits_what_fit_cox_fits(kind: str, options: dict[str, Any]) -> None:
    pytest.importorskip("numba")
    surv = surv_of_kind(kind)
    assert_same(run(surv, sample()["x"], "always", **options), run(surv, sample()["x"], "never", **options))


def test_a_resample_is_the_fit_to_its_rows() -> None:
    surv, x, key = surv_of_kind("heavy ties"), sample()["x"], np.random.SeedSequence(4).generate_state(1, np.uint64)[0]
    result = run(surv, x, "auto")
    for replicate in (0, 7):
        rows = _draw(key, replicate, np.array([0, N]))
        assert_close(result.coefficient[replicate], fit_cox(surv.subset(rows), x[rows]).coefficient, 1e-10)


def test_draws_are_even_and_keep_the_sizes_of_strata() -> None:
    bounds = np.array([0, 30, N])
    draws = np.array([_draw(np.uint64(99), r, bounds) for r in range(4000)])
    assert ((draws[:, :30] >= 0) & (draws[:, :30] < 30)).all()
    assert ((draws[:, 30:] >= 30) & (draws[:, 30:] < N)).all()
    counts = np.bincount(draws.reshape(-1), minlength=N)
    # 4,000 expected for each row, with standard deviation 63: five of them are allowed.
    assert (np.abs(counts - 4000) < 5 * 63).all()
    assert len({row.tobytes() for row in draws}) == 4000


def test_seed_and_number_decide_each_resample() -> None:
    surv, x = surv_of_kind("days"), sample()["x"]
    ten, four = run(surv, x, "auto", replicates=10), run(surv, x, "auto", replicates=4)
    assert np.array_equal(ten.coefficient[:4], four.coefficient)
    assert not np.array_equal(run(surv, x, "auto", seed=5).coefficient[:4], four.coefficient)


def test_the_number_of_cores_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("numba")
    surv, x = surv_of_kind("days"), sample()["x"]
    found = []
    for cores in (1, 3):
        monkeypatch.setattr(kernels.os, "cpu_count", lambda cores=cores: cores)
        found.append(run(surv, x, "always", replicates=200).coefficient)
    assert np.array_equal(found[0], found[1])


@pytest.mark.parametrize("mode", ["always", "never"])
def test_what_cannot_be_estimated_is_missing_and_told(mode: kernels.Mode) -> None:
    if mode == "always":
        pytest.importorskip("numba")
    d = sample()
    rare = np.zeros(N)
    # One patient with an event and one without: some resamples lack both, some the event.
    rare[[np.flatnonzero(d["event"] == 1)[0], np.flatnonzero(d["event"] == 0)[-1]]] = 1.0
    x = np.column_stack((d["x"][:, 0], rare))
    result = run(surv_of_kind("days"), x, mode, replicates=30, names=["age", "rare"])
    aliased, infinite = result.aliased[:, 1], result.infinite[:, 1]
    assert aliased.any()
    assert infinite.any()
    assert np.array_equal(np.isnan(result.coefficient[:, 1]), aliased | infinite)
    assert not np.isnan(result.coefficient[:, 0]).any()
    assert result.n_estimated.tolist() == [30, 30 - int((aliased | infinite).sum())]
    assert f"column 'rare' separates the events in {int(infinite.sum())} of 30 resamples" in " ".join(result.warnings)
    assert f"combination of others in {int(aliased.sum())} of 30 resamples" in " ".join(result.warnings)


@pytest.mark.parametrize("seed", range(6))
def test_rounding_is_no_information_to_the_kernel(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rare columns: in many resamples one is constant among those at risk, or separates, as it may in all rows."""
    rng = np.random.default_rng(seed)
    x = np.column_stack((rng.random(40) < 0.06, rng.random(40) < 0.12, rng.normal(size=40))).astype(float)
    event = rng.random(40) < 0.4
    if seed % 2:
        event &= x[:, 0] == 0
    surv = Surv(np.ceil(rng.exponential(9.0, 40)), event, weight=rng.uniform(0.2, 2.0, 40))
    # Resamples go to the kernel, those it leaves to NumPy: a model so near to singular has no digits to compare.
    monkeypatch.setattr(kernels, "WORTHWHILE", 1e5)
    slow, fast = run(surv, x, "never", replicates=80), run(surv, x, "auto", replicates=80)
    assert slow.infinite.any()
    assert_same(slow, fast)


def test_a_resample_with_a_constant_column_does_not_repeat_the_estimate() -> None:
    """One person with the mutation, in fractional weights: without them the column has only rounding to tell."""
    rng = np.random.default_rng(502)
    surv = Surv(np.ceil(rng.exponential(9.0, 34)), np.ones(34), weight=rng.uniform(0.3, 2.0, 34))
    x = (np.arange(34) == 20).astype(float)
    slow, fast = run(surv, x, "never", replicates=200), run(surv, x, "always", replicates=200)
    assert slow.aliased.any()
    assert_same(slow, fast)


def test_a_column_aliased_in_all_rows_stays_missing() -> None:
    x = np.column_stack((sample()["x"][:, 0], np.full(N, 2.0)))
    for mode in ("always", "never") if kernels._installed() else ("never",):
        result = run(surv_of_kind("days"), x, mode, names=["a", "flat"])
        assert np.isnan(result.coefficient[:, 1]).all()
        assert not np.isnan(result.coefficient[:, 0]).any()
        assert result.aliased.tolist() == [[False, True]] * 12
        assert np.isnan([result.standard_error[1], result.bias[1], result.bca_interval()[1].low]).all()
        assert len(result.warnings) == 1


def test_resamples_without_events_count_nowhere() -> None:
    rng = np.random.default_rng(1)
    event = np.zeros(N, dtype=int)
    event[[3, 50]] = 1
    result = run(Surv(np.arange(1, N + 1), event), rng.normal(size=N), "auto", replicates=60)
    lost = ~result.converged
    assert lost.any()
    assert np.isnan(result.coefficient[lost]).all()
    assert any(f"{int(lost.sum())} of 60 resamples have no event" in told for told in result.warnings)


def test_intervals_and_their_ingredients_by_hand() -> None:
    result = run(surv_of_kind("days"), sample()["x"], "auto", replicates=399)
    values, estimate = result.coefficient[:, 0], result.fit.coefficient[0]
    ordered = np.sort(values)
    # (399 + 1) * 0.025 = 10 and (399 + 1) * 0.975 = 390: the 10th and the 390th value.
    percentile = result.percentile_interval()[0]
    assert (percentile.low, percentile.high) == pytest.approx((ordered[9], ordered[389]), rel=1e-12)
    error = np.sqrt(((values - values.mean()) ** 2).sum() / 398)
    assert result.standard_error[0] == pytest.approx(error, rel=1e-12)
    assert result.bias[0] == pytest.approx(values.mean() - estimate, rel=1e-9)
    normal = result.normal_interval(0.9)[0]
    middle = 2 * estimate - values.mean()
    assert normal.high - normal.low == pytest.approx(2 * 1.6448536269514722 * error, rel=1e-12)
    assert (normal.low + normal.high) / 2 == pytest.approx(middle, rel=1e-9)


def test_bca_without_bias_and_skewness_is_the_percentile_interval() -> None:
    rng = np.random.default_rng(5)
    # Mirrored covariates at the same times: every dfbeta has its opposite, so the acceleration is 0.
    time, event = np.repeat(np.arange(1.0, 41.0), 2), np.ones(80, dtype=int)
    x = rng.normal(size=40)
    result = bootstrap_cox(Surv(time, event), np.ravel(np.column_stack((x, -x))), replicates=999, seed=2)
    below = (result.coefficient[:, 0] < result.fit.coefficient[0]).mean()
    assert result.fit.coefficient[0] == pytest.approx(0.0, abs=1e-12)
    bca, percentile = result.bca_interval()[0], result.percentile_interval()[0]
    # Only the share below the estimate, near one half, is left to move the ends; both move to the same side.
    assert np.sign(bca.low - percentile.low) == np.sign(bca.high - percentile.high) == np.sign(below - 0.5)


def test_the_bootstrap_agrees_with_large_sample_theory() -> None:
    rng = np.random.default_rng(8)
    x = rng.normal(size=(400, 2))
    time = np.ceil(rng.exponential(200.0, 400) / np.exp(x @ [0.5, 0.0]))
    result = bootstrap_cox(Surv(time, rng.random(400) < 0.7), x, replicates=1000, seed=3)
    assert (np.abs(result.standard_error / result.fit.standard_error - 1.0) < 0.15).all()


BAD: list[tuple[dict[str, Any], str]] = [
    ({"replicates": 0}, "replicates must be"),
    ({"replicates": 2.5}, "replicates must be"),
    ({"replicates": True}, "replicates must be"),
    ({"seed": -1}, "seed must be"),
    ({"seed": None}, "seed must be"),
    ({"level": 1.0}, "level must lie"),
    ({"names": ["a", "b"]}, "names must be 3"),
    ({"cluster": [1, 2]}, "cluster has shape"),
]


@pytest.mark.parametrize(("options", "message"), BAD, ids=[str(options) for options, _ in BAD])
def test_bad_arguments_are_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(EngineError, match=message):
        run(surv_of_kind("days"), sample()["x"], "auto", **options)


def test_data_without_events_or_rows_are_refused() -> None:
    x: NDArray[np.float64] = sample()["x"]
    with pytest.raises(EngineError, match="no event"):
        run(Surv(np.ones(N), np.zeros(N)), x, "auto")
    with pytest.raises(EngineError, match="no row"):
        run(Surv([], []), x[:0], "auto")


def test_one_patient_gives_warnings_and_no_number() -> None:
    result = run(Surv([3.0], [1]), [[2.0]], "auto", replicates=3)
    assert np.isnan(result.coefficient).all()
    assert result.n_estimated.tolist() == [0]
    assert result.warnings

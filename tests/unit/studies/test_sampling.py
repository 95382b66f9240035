"""Random cases: where the points fall, and that they fall there again."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import jupyter_tapis_jobs as tj
from jupyter_tapis_jobs.client.cases import cases_of
from jupyter_tapis_jobs.client.sampling import DISTRIBUTIONS
from jupyter_tapis_jobs.model.errors import InvalidInputError

pytest.importorskip("scipy")
METHODS = ["lhs", "sobol", "halton", "random"]


@pytest.mark.parametrize("method", METHODS)
def test_the_same_seed_gives_the_same_cases_and_another_one_others(method):
    one = tj.sample(20, method=method, seed=7, k=(10, 60), d=("normal", 0, 1))
    assert one.equals(tj.sample(20, method=method, seed=7, k=(10, 60), d=("normal", 0, 1)))
    assert not one.equals(tj.sample(20, method=method, seed=8, k=(10, 60), d=("normal", 0, 1)))
    assert one["k"].between(10, 60).all()
    assert len(cases_of(one)) == 20


def test_a_latin_hypercube_has_one_point_in_each_slice():
    frame = tj.sample(50, k=(0, 50), d=(0, 50))
    for name in frame:
        assert sorted(frame[name].astype(int)) == list(range(50))


@pytest.mark.parametrize("method", ["sobol", "halton"])
def test_a_sequence_covers_the_space_more_evenly_than_chance(method):
    points = tj.sample(64, method=method, a=(0, 1), b=(0, 1))
    filled = {(int(a * 4), int(b * 4)) for a, b in points.to_numpy()}
    assert len(filled) == 16


@settings(max_examples=20)
@given(st.integers(1, 200), st.sampled_from(METHODS), st.integers(0, 1000))
def test_as_many_cases_as_were_asked_for_all_of_them_finite(n, method, seed):
    frame = tj.sample(n, method=method, seed=seed, x=("normal", 0, 1), y=("lognormal", 0.02, 0.4))
    assert frame.shape == (n, 2)
    assert frame.map(math.isfinite).all(axis=None)


@pytest.mark.parametrize(
    ("wanted", "middle"),
    [
        ((10, 60), 35),
        (("uniform", 10, 60), 35),
        (("loguniform", 1, 100), 10),
        (("normal", 5, 2), 5),
        (("truncated", 5, 2, 3, 7), 5),
        (("lognormal", 0.02, 0.4), 0.02),
        (("triangular", 0, 1, 2), 1),
        (("beta", 2, 2), 0.5),
        (("beta", 2, 2, 10, 20), 15),
        (("gamma", 1, 1), math.log(2)),
        (("exponential", 3), 3 * math.log(2)),
        (("weibull", 1, 2), 2 * math.log(2)),
        (("gumbel", 1, 2), 1 - 2 * math.log(math.log(2))),
    ],
)
def test_a_distribution_has_its_median_in_the_middle_of_its_points(wanted, middle):
    frame = tj.sample(1001, x=wanted)
    assert frame["x"].median() == pytest.approx(middle, rel=0.01)


def test_every_distribution_of_the_table_is_tried_above():
    tried = {
        item[0][0]
        for item in test_a_distribution_has_its_median_in_the_middle_of_its_points.pytestmark[0].args[1]
    }
    assert set(DISTRIBUTIONS) - tried == {"integers"}


def test_whole_numbers_choices_and_one_value_for_all():
    frame = tj.sample(
        600, n=("integers", 1, 6), soil=["clay", "sand", "rock"], app="opensees", year=2026, x=(0, 1)
    )
    assert frame["n"].value_counts().to_dict() == dict.fromkeys(range(1, 7), 100)
    assert frame["soil"].value_counts().to_dict() == dict.fromkeys(["clay", "sand", "rock"], 200)
    assert set(frame["app"]) == {"opensees"}
    assert cases_of(frame)[0]["year"] == 2026


def test_distributions_of_scipy_are_taken_as_they_are():
    from scipy import stats

    frame = tj.sample(101, x=stats.norm(10, 1), n=stats.poisson(3))
    assert frame["x"].median() == pytest.approx(10, abs=0.05)
    assert frame["n"].map(type).eq(int).all()


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"k": (60, 10)}, "k: there is no uniform distribution with low 60, high 10"),
        ({"k": ("normal", 0, -1)}, "k: there is no normal distribution with mean 0, deviation -1"),
        ({"k": ("truncated", 0, 0, 1, 2)}, "k: there is no truncated distribution"),
        ({"k": ("normal", 0)}, "normal takes mean, deviation"),
        ({"k": ("normal", 0, "a")}, "normal takes mean, deviation"),
        ({"k": ("normal", 0, math.nan)}, "normal takes mean, deviation"),
        ({"k": (1, math.inf)}, "uniform takes low, high"),
        ({"k": ("nrmal", 0, 1)}, "Did you mean 'normal'?"),
        ({"k": (1, 2, 3)}, "is no distribution"),
        ({"k": ("integers", 0.5, 2)}, "there is no integers distribution"),
        ({"k": []}, "'k' has no values to choose from"),
        ({"status": (0, 1)}, "would clash"),
        ({}, "sample needs distributions"),
    ],
)
def test_a_distribution_that_there_is_not_is_refused(given, words):
    with pytest.raises(InvalidInputError) as refused:
        tj.sample(10, given)
    assert words in refused.value.message


@pytest.mark.parametrize(
    ("n", "options", "words"),
    [
        (0, {}, "at least 1"),
        (2.5, {}, "whole number of cases"),
        (True, {}, "whole number of cases"),
        (10**6, {}, "1,000,000 cases are more than a study takes"),
        (10, {"method": "sobl"}, "Did you mean 'sobol'?"),
        (10, {"seed": None}, "seed must be a whole number"),
        (10, {"seed": -1}, "seed must be a whole number"),
    ],
)
def test_numbers_methods_and_seeds_are_checked(n, options, words):
    with pytest.raises(InvalidInputError) as refused:
        tj.sample(n, k=(0, 1), **options)
    assert words in refused.value.message


def test_without_scipy_a_sentence_says_how_to_get_it(monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "scipy.stats", None)
    with pytest.raises(InvalidInputError, match=r"pip install 'jupyter_tapis_jobs\[studies\]'"):
        tj.sample(10, k=(0, 1))

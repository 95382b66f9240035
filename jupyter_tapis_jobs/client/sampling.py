"""Random cases: points of a space of parameters, by Latin hypercube, Sobol, Halton or plainly at random.

    sample(200, method="lhs", seed=0, k=(10, 60), damping=("lognormal", 0.02, 0.4), soil=["clay", "sand"])

A distribution is ``(low, high)`` for uniform; a name with its numbers, as in the table below; a list, of
which each value is as likely as the next; one value for all; or a frozen distribution of ``scipy.stats``.
"""

from __future__ import annotations

import importlib
import math
import warnings
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from ..model.errors import InvalidInputError, did_you_mean
from ..model.texts import shown
from .cases import MOST, check_names, together

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

#: Name -> its numbers, as messages show them.
DISTRIBUTIONS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "uniform": ("low", "high"),
        "loguniform": ("low", "high"),
        "integers": ("low", "high"),
        "normal": ("mean", "deviation"),
        "truncated": ("mean", "deviation", "low", "high"),
        "lognormal": ("median", "deviation of the logarithm"),
        "triangular": ("low", "mode", "high"),
        "beta": ("a", "b", "low", "high"),
        "gamma": ("shape", "scale"),
        "exponential": ("mean",),
        "weibull": ("shape", "scale"),
        "gumbel": ("location", "scale"),
    }
)
_METHODS = ("lhs", "sobol", "halton", "random")
#: Points stay so far from 0 and 1, where a normal distribution would be infinite.
_EDGE = 1e-12

#: From points between 0 and 1 to values.
_Shape = Callable[["np.ndarray[Any, Any]"], Sequence[Any]]


def sample(
    n: int,
    distributions: Mapping[str, Any] | None = None,
    /,
    *,
    method: str = "lhs",
    seed: int = 0,
    **more: Any,
) -> pd.DataFrame:
    """Return a frame of *n* random cases; the same again for the same *seed*.

    *method*: ``lhs``, ``sobol`` (best with n a power of 2), ``halton`` or ``random``. *distributions* is for
    names that Python cannot write. Needs scipy (the extra ``studies``). A column is of floats, of whole
    numbers for a discrete distribution, or of the values of a list. Raises ``InvalidInputError`` that names
    the distribution which cannot be.
    """
    import pandas as pd

    given = together(distributions, more)
    check_names(list(given))
    _check(n, method, seed, given)
    shapes = {name: _shape(name, wanted) for name, wanted in given.items()}
    points = _points(n, len(shapes), method, seed).clip(_EDGE, 1 - _EDGE)
    columns = {name: shape(points[:, place]) for place, (name, shape) in enumerate(shapes.items())}
    return pd.DataFrame(columns, columns=list(columns))


def _check(n: Any, method: Any, seed: Any, given: Mapping[str, Any]) -> None:
    if isinstance(n, bool) or not hasattr(n, "__index__") or n < 1:
        raise InvalidInputError(
            f"sample takes a whole number of cases, at least 1, not {shown(n)}.", field="n"
        )
    if n > MOST:
        raise InvalidInputError(f"{n:,} cases are more than a study takes ({MOST:,}).", field="n", value=n)
    if method not in _METHODS:
        raise InvalidInputError(
            f"method '{method}' is not one of: {', '.join(_METHODS)}.{did_you_mean(str(method), _METHODS)}",
            field="method",
            value=method,
        )
    if isinstance(seed, bool) or not hasattr(seed, "__index__") or seed < 0:
        raise InvalidInputError(
            f"seed must be a whole number, not {shown(seed)}: the same seed gives the same cases again.",
            field="seed",
        )
    if not given:
        raise InvalidInputError(
            "sample needs distributions: tj.sample(100, k=(10, 60), damping=(0.01, 0.1))."
        )


def _points(n: int, dimensions: int, method: str, seed: int) -> np.ndarray[Any, Any]:
    """Return *n* points between 0 and 1 in each dimension."""
    import numpy as np

    if method == "random":
        return np.random.default_rng(seed).random((n, dimensions))
    qmc = _scipy_stats().qmc
    engine = {"lhs": qmc.LatinHypercube, "sobol": qmc.Sobol, "halton": qmc.Halton}[method]
    with warnings.catch_warnings():
        # Sobol's own warning; the docstring says which numbers are best.
        warnings.filterwarnings("ignore", message=".*balance properties", category=UserWarning)
        points: np.ndarray[Any, Any] = engine(d=dimensions, rng=seed).random(n)
    return points


def _shape(name: str, wanted: Any) -> _Shape:
    """Return what makes values of points for the column *name*."""
    if hasattr(wanted, "ppf"):
        return _of_frozen(name, wanted)
    if isinstance(wanted, tuple) and wanted and isinstance(wanted[0], str) and wanted[0] in DISTRIBUTIONS:
        return _of_frozen(name, _named(name, wanted[0], _numbers(name, wanted[0], wanted[1:])))
    if isinstance(wanted, tuple) and len(wanted) == 2 and not any(isinstance(item, str) for item in wanted):
        return _of_frozen(name, _named(name, "uniform", _numbers(name, "uniform", wanted)))
    if isinstance(wanted, tuple):
        raise _unknown(name, wanted)
    if isinstance(wanted, str | bytes | Mapping) or not hasattr(wanted, "__len__"):
        return lambda points: [wanted] * len(points)
    return _of_list(name, list(wanted))


def _of_frozen(name: str, distribution: Any) -> _Shape:
    def values(points: np.ndarray[Any, Any]) -> Sequence[Any]:
        found = distribution.ppf(points)
        if not all(map(math.isfinite, found)):
            raise InvalidInputError(
                f"The distribution of '{name}' gives values that are not finite.", field=name
            )
        return [int(value) for value in found] if _is_discrete(distribution) else list(map(float, found))

    return values


def _is_discrete(distribution: Any) -> bool:
    return hasattr(getattr(distribution, "dist", distribution), "pmf")


def _of_list(name: str, choices: list[Any]) -> _Shape:
    if not choices:
        raise InvalidInputError(f"'{name}' has no values to choose from.", field=name)
    last = len(choices) - 1
    return lambda points: [choices[min(int(point * len(choices)), last)] for point in points]


def _numbers(name: str, kind: str, given: Sequence[Any]) -> tuple[float, ...]:
    wanted = DISTRIBUTIONS[kind]
    fewest = 2 if kind == "beta" else len(wanted)
    try:
        numbers = tuple(float(value) for value in given)
    except (TypeError, ValueError):
        numbers = ()
    if not fewest <= len(numbers) <= len(wanted) or not all(map(math.isfinite, numbers)):
        raise InvalidInputError(
            f"{name}={(kind, *given)!r}: {kind} takes {', '.join(wanted)}: finite numbers.", field=name
        )
    return numbers


def _named(name: str, kind: str, numbers: tuple[float, ...]) -> Any:
    """Return the distribution of scipy; refuses numbers that it has none for."""
    stats = _scipy_stats()
    try:
        distribution = _MAKERS[kind](stats, *numbers)
        middle = distribution.ppf(0.5)
    except (ValueError, ZeroDivisionError):
        middle = math.nan
    if not math.isfinite(middle):
        said = ", ".join(
            f"{word} {number:g}" for word, number in zip(DISTRIBUTIONS[kind], numbers, strict=False)
        )
        raise InvalidInputError(f"{name}: there is no {kind} distribution with {said}.", field=name)
    return distribution


def _between(low: float, high: float) -> float:
    """Return the width of a range that goes up."""
    if not low < high:
        raise ValueError
    return high - low


def _beta(stats: Any, a: float, b: float, low: float = 0.0, high: float = 1.0) -> Any:
    return stats.beta(a, b, loc=low, scale=_between(low, high))


def _truncated(stats: Any, mean: float, deviation: float, low: float, high: float) -> Any:
    _between(low, high)
    return stats.truncnorm((low - mean) / deviation, (high - mean) / deviation, loc=mean, scale=deviation)


def _triangular(stats: Any, low: float, mode: float, high: float) -> Any:
    width = _between(low, high)
    return stats.triang((mode - low) / width, loc=low, scale=width)


def _integers(stats: Any, low: float, high: float) -> Any:
    if not (low.is_integer() and high.is_integer()):
        raise ValueError
    return stats.randint(int(low), int(high) + 1)


_MAKERS: Mapping[str, Callable[..., Any]] = MappingProxyType(
    {
        "uniform": lambda stats, low, high: stats.uniform(low, _between(low, high)),
        "loguniform": lambda stats, low, high: stats.loguniform(low, low + _between(low, high)),
        "integers": _integers,
        "normal": lambda stats, mean, deviation: stats.norm(mean, deviation),
        "truncated": _truncated,
        "lognormal": lambda stats, median, deviation: stats.lognorm(deviation, scale=median),
        "triangular": _triangular,
        "beta": _beta,
        "gamma": lambda stats, shape, scale: stats.gamma(shape, scale=scale),
        "exponential": lambda stats, mean: stats.expon(scale=mean),
        "weibull": lambda stats, shape, scale: stats.weibull_min(shape, scale=scale),
        "gumbel": lambda stats, location, scale: stats.gumbel_r(location, scale),
    }
)


def _unknown(name: str, wanted: tuple[Any, ...]) -> InvalidInputError:
    word = wanted[0] if wanted and isinstance(wanted[0], str) else ""
    return InvalidInputError(
        f"{name}={shown(wanted)} is no distribution.{did_you_mean(word, list(DISTRIBUTIONS))} Write "
        f"(low, high), a list to choose from, or a name with its numbers: {', '.join(DISTRIBUTIONS)}.",
        field=name,
    )


def _scipy_stats() -> Any:
    try:
        return importlib.import_module("scipy.stats")
    except ImportError as cause:
        raise InvalidInputError(
            "tj.sample needs scipy: pip install 'jupyter_tapis_jobs[studies]'."
        ) from cause

"""Which outputs are archived: Java's globs, and regular expressions that match the whole path."""

from __future__ import annotations

import pytest
from model_samples import make_app, resolve_sample

from jupyter_tapis_jobs.model.errors import InvalidInputError
from jupyter_tapis_jobs.model.job import ArchiveFilter
from jupyter_tapis_jobs.model.patterns import compiled, selects


@pytest.mark.parametrize(
    ("pattern", "path", "fits"),
    [
        ("*.txt", "a.txt", True),
        ("*.txt", "sub/a.txt", False),
        ("**.txt", "sub/a.txt", True),
        ("**/*.txt", "sub/deep/a.txt", True),
        ("**/*.txt", "a.txt", False),
        ("**/*", "a.txt", True),
        ("*.{csv,out}", "x.out", True),
        ("a?c", "abc", True),
        ("a?c", "a/c", False),
        ("[a-c]x", "bx", True),
        ("[!a-c]x", "bx", False),
        (r"\*.txt", "*.txt", True),
        (r"\*.txt", "a.txt", False),
        ("a}", "a}", True),
        (".*", ".hidden", True),
        (r"REGEX:.*\.txt", "sub/a.txt", True),
        (r"REGEX:a\.txt", "sub/a.txt", False),
        (r"REGEX:[\p{Alpha}_]+(?<n>\d)", "run_1", True),
        (r"REGEX:\p{Upper}+", "run", False),
    ],
)
def test_a_pattern_fits_a_path_as_it_does_in_java(pattern: str, path: str, fits: bool) -> None:
    assert selects(ArchiveFilter(includes=(pattern,)), path) is fits


@pytest.mark.parametrize("pattern", ["{a", "[a", "{a{b}}", "a\\", "[a/b]", "REGEX:(", r"REGEX:\p{L}"])
def test_what_java_or_we_cannot_read_is_refused_at_submission(pattern: str) -> None:
    with pytest.raises(InvalidInputError, match="cannot be read"):
        resolve_sample(parameterSet={"archiveFilter": {"excludes": [pattern]}})


def test_excludes_come_first_then_includes() -> None:
    chosen = ArchiveFilter(includes=("*.txt",), excludes=("b*",))
    assert [path for path in ("a.txt", "b.txt", "c.dat") if selects(chosen, path)] == ["a.txt"]


def test_a_macro_in_a_pattern_is_put_in_and_checked_as_a_pattern() -> None:
    asked = {"archiveFilter": {"includes": ["${JobName}/*"]}}
    assert resolve_sample(parameterSet=asked)[1].archive_filter.includes == ("case/*",)
    with pytest.raises(InvalidInputError, match="cannot be read"):
        resolve_sample(name="{x", parameterSet=asked)


def test_the_apps_patterns_follow_the_requests_and_the_request_decides_on_launch_files() -> None:
    app = make_app({"parameterSet": {"archiveFilter": {"includes": ["b"], "includeLaunchFiles": False}}})
    chosen = resolve_sample(app=app, parameterSet={"archiveFilter": {"includes": ["a"]}})[1].archive_filter
    assert (chosen.includes, chosen.include_launch_files) == (("a", "b"), False)
    own = {"archiveFilter": {"includeLaunchFiles": True}}
    assert resolve_sample(app=app, parameterSet=own)[1].archive_filter.include_launch_files
    assert resolve_sample()[1].archive_filter.include_launch_files


def test_a_compiled_pattern_is_kept() -> None:
    assert compiled("*.kept") is compiled("*.kept")

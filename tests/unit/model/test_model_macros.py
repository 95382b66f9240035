"""Macros: ground, derived, strict and simple; host variables; the job's own variables."""

from __future__ import annotations

import contextlib
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from model_samples import CREATED, UUID, Resolved, make_cluster, make_system

from jupyter_tapis_jobs.model.errors import InvalidInputError
from jupyter_tapis_jobs.model.macros import (
    DERIVED,
    derive,
    host_variables,
    macro_values,
    simply,
    strictly,
    tapis_environment,
)

NAMES = ["A", "B", "C"]
TEXTS = st.lists(
    st.sampled_from(["x", "/", "${A}", "${B}", "${C}", "${D}", "${}", "${", "}", "$A"]), max_size=8
).map("".join)


@given(text=TEXTS, values=st.fixed_dictionaries(dict.fromkeys(NAMES, TEXTS)))
def test_resolving_always_ends_with_a_text_without_macros_or_with_a_sentence(
    text: str, values: dict[str, str]
) -> None:
    with contextlib.suppress(InvalidInputError):
        assert "${" not in strictly(text, values, "execSystemExecDir", {})


@given(text=TEXTS, values=st.fixed_dictionaries(dict.fromkeys(NAMES, TEXTS)))
def test_simple_replacement_looks_at_each_macro_once_and_never_fails(
    text: str, values: dict[str, str]
) -> None:
    done = simply(text, values)
    assert simply(text, {}) == text
    assert simply(done, {name: f"${{{name}}}" for name in NAMES}) == done


def test_values_may_hold_macros_themselves() -> None:
    assert strictly("${A}/x", {"A": "${B}/a", "B": "b"}, "f", {}) == "b/a/x"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("${}", "holds an empty macro"),
        ("a/${JobUUID", "opens a macro '\\${' and does not close it"),
        ("${JobUUDI}", "unknown macro \\${JobUUDI}. Did you mean 'JobUUID'"),
        ("${A}", "a macro must not lead back to itself"),
        ("${ArchiveSystemDir}", "only known later"),
    ],
)
def test_a_macro_that_cannot_be_resolved_is_told(text: str, words: str) -> None:
    with pytest.raises(InvalidInputError, match=words):
        strictly(text, {"JobUUID": "u", "A": "${B}", "B": "${A}"}, "execSystemExecDir", {})


def test_a_cycle_that_doubles_ends_at_once() -> None:
    with pytest.raises(InvalidInputError, match="after 16 replacements"):
        strictly("${A}", {"A": "${A}${A}"}, "f", {})


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("HOST_EVAL($WORK)", "/work/ada"),
        ("HOST_EVAL(WORK)/jobs/${JobUUID}", "/work/ada/jobs/u"),
        ("HOST_EVAL($NONE, /tmp)/x", "/tmp/x"),
        ("HOST_EVAL( $BLANK , /tmp )", "/tmp"),
        ("HOST_EVAL($WORK, /tmp)", "/work/ada"),
        ("/plain", "/plain"),
    ],
)
def test_host_eval_takes_the_hosts_value_or_the_default(text: str, value: str) -> None:
    assert strictly(text, {"JobUUID": "u"}, "f", {"WORK": "/work/ada\n", "BLANK": " "}) == value


def test_a_host_variable_that_is_not_set_gets_a_helpful_sentence() -> None:
    with pytest.raises(InvalidInputError) as caught:
        strictly("HOST_EVAL($WORK)/x", {}, "archiveSystemDir", {})
    assert caught.value.message == (
        "archiveSystemDir 'HOST_EVAL($WORK)/x' needs the variable WORK, which is not set on the host. "
        "Write a default, HOST_EVAL($WORK, /some/directory), or name a directory."
    )


@pytest.mark.parametrize(
    "text", ["/a/HOST_EVAL($W)", "HOST_EVAL($W)HOST_EVAL($W)", "HOST_EVAL(rm -rf)", "HOST_EVAL("]
)
def test_host_eval_stands_only_at_the_start(text: str) -> None:
    with pytest.raises(InvalidInputError, match="HOST_EVAL at its start"):
        strictly(text, {}, "f", {"W": "/w"})


@pytest.mark.parametrize("value", ["/a/${JobUUID}", "/a\x1b[0m"])
def test_a_hosts_value_is_data(value: str) -> None:
    with pytest.raises(InvalidInputError):
        strictly("HOST_EVAL($W)", {"JobUUID": "u"}, "f", {"W": value})


def test_the_host_variables_of_texts_are_found() -> None:
    texts = ["HOST_EVAL($A)/x", None, "HOST_EVAL( B , /d)", "/plain/$C"]
    assert host_variables(texts) == {"A", "B"}


def test_literal_directories_are_known_to_all_and_others_refer_backwards() -> None:
    values = {"JobUUID": "u"}
    given_ = {
        "JobWorkingDir": ("${ArchiveSystemDir}/w", "jobWorkingDir"),
        "ExecSystemExecDir": ("${JobWorkingDir}/${JobUUID}", "execSystemExecDir"),
        "ArchiveSystemDir": ("/archive", "archiveSystemDir"),
    }
    derive(given_, values, {})
    assert values["ExecSystemExecDir"] == "/archive/w/u"


def test_a_reference_forwards_is_refused() -> None:
    given_ = {
        "JobWorkingDir": ("${ExecSystemExecDir}", "jobWorkingDir"),
        "ExecSystemExecDir": ("${JobUUID}", "execSystemExecDir"),
    }
    with pytest.raises(InvalidInputError, match=r"jobWorkingDir .* only known later"):
        derive(given_, {"JobUUID": "u"}, {})


def test_a_job_has_every_macro_that_has_a_value(resolved: Callable[..., Resolved]) -> None:
    values = macro_values(*resolved(nodeCount=3, memoryMB=500))
    assert values["JobUUID"] == UUID
    assert (values["Nodes"], values["CoresPerNode"], values["MemoryMB"], values["MaxMinutes"]) == (
        "3",
        "1",
        "500",
        "10",
    )
    assert (values["JobCreateTimestamp"], values["JobCreateDate"]) == (CREATED, "2026-11-21Z")
    assert values["JobCreateTime"] == "04:48:47.123456Z"
    assert (values["DynamicExecSystem"], values["ArchiveOnAppError"], values["ArchiveMode"]) == (
        "false",
        "true",
        "ALWAYS",
    )
    assert (values["SysHost"], values["SysRootDir"]) == ("host1.example.org", "/")
    assert set(DERIVED) - set(values) == {"DtnSystemInputDir", "DtnSystemOutputDir"}
    assert not {"ExecSystemLogicalQueue", "ExecSystemHPCQueue", "SysBatchScheduler"} & set(values)


def test_a_batch_job_knows_its_queue_and_scheduler(resolved: Callable[..., Resolved]) -> None:
    values = macro_values(*resolved(system=make_cluster(), jobType="BATCH"))
    assert values["ExecSystemLogicalQueue"] == "normal"
    assert values["ExecSystemHPCQueue"] == "normal-q"
    assert values["SysBatchScheduler"] == "SLURM"


def test_the_applications_variables_are_the_macros_sorted_with_directories_below_root_dir(
    resolved: Callable[..., Resolved],
) -> None:
    job, definition = resolved(system=make_system(rootDir="/scratch"), name="run of ${AppId}")
    variables = tapis_environment(job, definition)
    assert list(variables) == sorted(variables, key=str.lower)
    assert variables["_tapisJobName"] == "run of solver"
    assert variables["_tapisExecSystemExecDir"] == f"/work/tapis/jobs/{UUID}"
    assert variables["_tapisSysRootDir"] == "/scratch"
    assert {name.removeprefix("_tapis") for name in variables} == set(macro_values(job, definition))

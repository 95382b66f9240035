"""What a batch job says to sbatch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from model_samples import UUID, Resolved, make_app, make_cluster

from jupyter_tapis_jobs.model.directives import as_lines, directives_of, forces_single, module_lines
from jupyter_tapis_jobs.model.errors import InvalidInputError, NotFoundError
from jupyter_tapis_jobs.model.profile import SchedulerProfile, parse_profile
from jupyter_tapis_jobs.model.resolve import definition_from_json, definition_json

Resolve = Callable[..., Resolved]
OUTPUT = f"/work/tapis/jobs/{UUID}/output"
TACC = {
    "name": "tacc",
    "hiddenOptions": ["MEM", "PARTITION"],
    "moduleLoads": [
        {"moduleLoadCommand": "module load", "modulesToLoad": ["apptainer", "hdf5/1.14"]},
        {"moduleLoadCommand": ". $WORK/setup", "modulesToLoad": []},
    ],
}


def tacc(name: str) -> SchedulerProfile:
    """Find the one profile there is."""
    if name != "tacc":
        raise NotFoundError(f"There is no profile {name}.")
    return parse_profile(TACC)[0]


def batch(resolved: Resolve, *options: str, log: dict[str, str] | None = None, **fields: Any) -> Resolved:
    """Return a BATCH job with these scheduler options."""
    parameters: dict[str, Any] = {"schedulerOptions": [{"arg": option} for option in options]}
    if log:
        parameters["logConfig"] = log
    return resolved(system=make_cluster(), jobType="BATCH", parameterSet=parameters, **fields)


def test_resources_queue_name_and_output_are_said_sorted_by_option(resolved: Resolve) -> None:
    job = batch(resolved, nodeCount=2, coresPerNode=4, memoryMB=700, maxMinutes=5)
    assert directives_of(*job) == (
        "--job-name=tapisjob.sh",
        "--mem=700",
        "--nodes=2",
        "--ntasks=8",
        "--open-mode=append",
        f"--output={OUTPUT}/tapisjob.out",
        "--partition=normal-q",
        "--time=5",
    )


def test_the_users_options_come_in_their_long_form_among_them(resolved: Resolve) -> None:
    said = directives_of(*batch(resolved, "-A ABC", "-Jmy-${JobName}", "--gres gpu:2", "--nice", "-H"))
    assert {"--account=ABC", "--job-name=my-case", "--gres=gpu:2", "--nice", "--hold"} <= set(said)
    assert list(said) == sorted(said, key=lambda word: word.partition("=")[0])


def test_two_streams_get_two_files(resolved: Resolve) -> None:
    said = directives_of(*batch(resolved, log={"stdoutFilename": "log/out", "stderrFilename": "err"}))
    assert f"--output={OUTPUT}/log/out" in said
    assert f"--error={OUTPUT}/err" in said


def test_slurms_own_replacements_do_not_act_on_a_file_name(resolved: Resolve) -> None:
    plain = directives_of(*batch(resolved, log={"stdoutFilename": "50%j.out", "stderrFilename": "50%j.out"}))
    assert f"--output={OUTPUT}/50%%j.out" in plain
    slashed = directives_of(*batch(resolved, log={"stdoutFilename": r"a\5%.o", "stderrFilename": r"a\5%.o"}))
    assert rf"--output={OUTPUT}/a\\5%.o" in slashed


def test_who_says_output_looks_after_it(resolved: Resolve) -> None:
    said = directives_of(*batch(resolved, "--output=mine.%j"))
    assert "--output=mine.%j" in said
    assert not any(word.startswith(("--error", "--open-mode")) for word in said)


def test_memory_per_cpu_takes_the_place_of_memory(resolved: Resolve) -> None:
    said = directives_of(*batch(resolved, "--mem-per-cpu=500"))
    assert "--mem-per-cpu=500" in said
    assert not any(word.startswith("--mem=") for word in said)


@pytest.mark.parametrize("option", ["-d afterok:12", "--export=NONE", "-o x", "--error=x"])
def test_an_option_of_one_job_alone_keeps_it_out_of_arrays_and_packs(resolved: Resolve, option: str) -> None:
    definition = batch(resolved, option)[1]
    assert forces_single(definition) in ("--dependency", "--export", "--output", "--error")


def test_common_options_do_not_keep_a_job_alone(resolved: Resolve) -> None:
    assert forces_single(batch(resolved, "-A ABC", "--gpus=1", "-J name")[1]) is None


@pytest.mark.parametrize(
    ("word", "line"),
    [
        ("--nodes=2", "#SBATCH --nodes=2\n"),
        ("--comment=a b", '#SBATCH "--comment=a b"\n'),
        ("--comment=a#b", '#SBATCH "--comment=a#b"\n'),
        ('--comment=say "x"', '#SBATCH "--comment=say \\"x\\""\n'),
        (r"--comment=a\b", '#SBATCH "--comment=a\\\\b"\n'),
        ("--comment=$HOME `x` 'y'", "#SBATCH \"--comment=$HOME `x` 'y'\"\n"),
    ],
)
def test_a_line_is_quoted_as_sbatch_reads_it(word: str, line: str) -> None:
    assert as_lines([word]) == line


# --- profiles --------------------------------------------------------------------------------------


def test_a_profile_hides_options_and_loads_modules(resolved: Resolve) -> None:
    job, definition = batch(resolved, "--tapis-profile tacc", profiles=tacc)
    said = directives_of(job, definition)
    assert not any(word.startswith(("--mem", "--partition", "--tapis")) for word in said)
    assert module_lines(definition) == (
        "module load apptainer",
        "module load hdf5/1.14",
        '. "${WORK}"/setup',
    )


def test_the_systems_profile_is_taken_where_no_option_names_one(resolved: Resolve) -> None:
    system = make_cluster(batchSchedulerProfile="tacc")
    definition = resolved(system=system, jobType="BATCH", profiles=tacc)[1]
    assert definition.scheduler_profile is not None
    assert definition.scheduler_profile.name == "tacc"
    assert resolved(system=system, jobType="FORK", profiles=tacc)[1].scheduler_profile is None


def test_an_unknown_profile_is_not_found(resolved: Resolve) -> None:
    with pytest.raises(NotFoundError, match="no profile taccc"):
        batch(resolved, "--tapis-profile=taccc", profiles=tacc)


def test_two_different_profiles_are_refused_and_the_same_one_twice_is_one(resolved: Resolve) -> None:
    with pytest.raises(InvalidInputError, match="2 scheduler profiles, tacc, other, and a job has one"):
        batch(resolved, "--tapis-profile tacc", "--tapis-profile=other", profiles=tacc)
    definition = batch(resolved, "--tapis-profile tacc", "--tapis-profile=tacc", profiles=tacc)[1]
    assert definition.scheduler_profile is not None
    assert definition.scheduler_profile.name == "tacc"


def test_a_stored_definition_keeps_its_profile(resolved: Resolve) -> None:
    definition = batch(resolved, "--tapis-profile tacc", profiles=tacc)[1]
    assert definition_from_json(definition_json(definition)) == definition


def test_a_profile_keeps_unknown_keys_and_shows_every_attribute() -> None:
    profile, warnings = parse_profile({**TACC, "isPublic": True})
    assert warnings == ["'isPublic' is not an attribute that Tapis knows; it is kept."]
    wire = profile.to_wire()
    assert wire["moduleLoads"][0] == {
        "moduleLoadCommand": "module load",
        "modulesToLoad": ["apptainer", "hdf5/1.14"],
    }
    assert (wire["hiddenOptions"], wire["description"], wire["isPublic"]) == (
        ["MEM", "PARTITION"],
        None,
        True,
    )


@pytest.mark.parametrize(
    "broken",
    [
        {"moduleLoads": [{"moduleLoadCommand": "module load; rm -r /", "modulesToLoad": ["a"]}]},
        {"moduleLoads": [{"moduleLoadCommand": "module load", "modulesToLoad": ["a`b`"]}]},
        {"hiddenOptions": ["CPU"]},
        {"name": "two words"},
    ],
)
def test_a_profile_with_more_than_module_loads_is_refused(broken: dict[str, Any]) -> None:
    with pytest.raises(InvalidInputError):
        parse_profile({**TACC, **broken})


def test_nothing_in_a_module_line_is_run_but_the_command() -> None:
    loads = [{"moduleLoadCommand": "module load", "modulesToLoad": ["$(id)", "~/x *"]}]
    profile = parse_profile({"name": "p", "moduleLoads": loads})[0].for_job()
    assert profile.module_lines == ("module load '$(id)'", "module load '~/x' '*'")


# --- options ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ("-N2", "Use nodeCount instead"),
        ("--tasks=3", "Use nodeCount and coresPerNode instead"),
        ("--requeue", "would let Slurm start the job a second time"),
        ("--array=0-9", "Use a study, or submit/bulk with launchMode=array"),
        ("-D /tmp", "Use execSystemExecDir instead"),
        ("--wait", "keeps sbatch from answering"),
        ("--parsable", "Leave it out"),
        ("--acount=X", "is no option of sbatch. Did you mean '--account'?"),
        ("--account", "needs a value. Write it as --account=VALUE"),
        ("-A", "needs a value"),
        ("--hold yes", "takes no value"),
        ("--gres gpu:1 --exclusive", "more than one option"),
        ("--tapis-profile", "needs a value"),
        ("gpu:1", "is not an option"),
    ],
)
def test_an_option_that_cannot_be_had_is_refused_with_a_way_out(
    resolved: Resolve, option: str, message: str
) -> None:
    with pytest.raises(InvalidInputError) as caught:
        batch(resolved, option)
    assert message in caught.value.message
    assert caught.value.field == "parameterSet.schedulerOptions"


@pytest.mark.parametrize(
    "option",
    ["-A X", "-AX", "--account=X", "--comment 'a -b'", "--gpus-per-node=4", "--exclusive", "--exclusive=user",
     "--nice", "--reservation=r", "--mail-type=ALL", "-C a&b", "--constraint [a|b]",
     "--qos=high", "-x node[1-3]"],
)  # fmt: skip
def test_the_usual_options_pass(resolved: Resolve, option: str) -> None:
    assert option in [kept.arg for kept in batch(resolved, option)[1].scheduler_options]


def test_an_option_of_the_app_is_checked_too(resolved: Resolve) -> None:
    app = make_app(
        {"parameterSet": {"schedulerOptions": [{"name": "o", "arg": "--requeue", "inputMode": "FIXED"}]}}
    )
    with pytest.raises(InvalidInputError, match="second time"):
        resolved(app=app, system=make_cluster(), jobType="BATCH")

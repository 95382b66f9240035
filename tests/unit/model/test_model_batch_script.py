"""A user's own batch script, read as sbatch reads it."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

import pytest
from model_samples import Resolved, make_app, make_cluster

from jupyter_tapis_jobs.model.batch_request import ScriptedRequest, with_batch_script
from jupyter_tapis_jobs.model.batch_script import job_name_of, read_batch_script
from jupyter_tapis_jobs.model.directives import directives_of
from jupyter_tapis_jobs.model.errors import InvalidInputError
from jupyter_tapis_jobs.model.request import parse_request
from jupyter_tapis_jobs.model.slurm_values import megabytes_of, minutes_of

Resolve = Callable[..., Resolved]
QUEUES = [
    {"name": "big", "hpcQueueName": "normal", "maxCoresPerNode": 8, "maxMinutes": 600, "maxMemoryMB": 16000},
    {"name": "small", "hpcQueueName": "debug", "maxCoresPerNode": 8, "maxMinutes": 30, "maxMemoryMB": 16000},
]
CLUSTER = make_cluster(batchLogicalQueues=QUEUES, batchDefaultLogicalQueue="big")
FREE = make_cluster(batchLogicalQueues=[{"name": "q", "hpcQueueName": "q"}], batchDefaultLogicalQueue="q")


def script(*lines: str) -> bytes:
    """Return a script with these #SBATCH lines."""
    return "\n".join(["#!/bin/bash", *(f"#SBATCH {line}" for line in lines), "srun hostname", ""]).encode()


def said(*lines: str) -> list[tuple[str, str]]:
    """Return what these lines say."""
    return [(d.name, d.value) for d in read_batch_script(script(*lines)).directives.values()]


def laid(*lines: str, system: Any = CLUSTER, **fields: Any) -> ScriptedRequest:
    """Return a request with what these lines say under it."""
    raw = {"name": "case", "appId": "slurm", "appVersion": "1.0", **fields}
    return with_batch_script(raw, parse_request(raw), read_batch_script(script(*lines)), system)


def options(scripted: ScriptedRequest) -> list[str]:
    """Return the scheduler options of a request."""
    return [option["arg"] for option in scripted.raw["parameterSet"]["schedulerOptions"]]


# --- how lines are read ----------------------------------------------------------------------------


@pytest.mark.parametrize("line", ["--nodes=2", "--nodes 2", "-N 2", "-N2", '--nodes="2"', "-N'2' # two"])
def test_every_form_of_an_option_is_understood(line: str) -> None:
    assert said(line) == [("--nodes", "2")]


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("-N2 -Jx -n 4", [("--nodes", "2"), ("--job-name", "x"), ("--ntasks", "4")]),
        ("-HJ held", [("--hold", ""), ("--job-name", "held")]),
        ('-J "a b"', [("--job-name", "a b")]),
        ("--job-name='a \"b'", [("--job-name", 'a "b')]),
        ('--job-name="a \\"b\\""', [("--job-name", 'a "b"')]),
        ("--job-name='a\\b'", [("--job-name", "ab")]),
        ("--job-name=a#b", [("--job-name", "a")]),
        ('--job-name="a#b"', [("--job-name", "a#b")]),
        ('-J "x"y"z"', [("--job-name", "xyz")]),
        ("\t-J\ttabbed", [("--job-name", "tabbed")]),
        ("--nice --exclusive=user -s", [("--nice", ""), ("--exclusive", "user"), ("--oversubscribe", "")]),
        ("--tasks=3 --job-nam ab", [("--ntasks", "3"), ("--job-name", "ab")]),
        ("", []),
        ("# nothing", []),
    ],
)  # fmt: skip
def test_words_are_split_as_sbatch_splits_them(line: str, found: list[tuple[str, str]]) -> None:
    assert said(line) == found


def test_the_last_of_several_counts() -> None:
    assert said("--nodes=2", "-N 3") == [("--nodes", "3")]


def test_lines_that_are_comments_indented_or_behind_a_command_do_not_count() -> None:
    text = b"#!/bin/sh\n##SBATCH -N 2\n# SBATCH -N 3\n  #SBATCH -N 4\n\n#SBATCH -J a\nset -e\n#SBATCH -N 5\n"
    read = read_batch_script(text)
    assert [(d.name, d.value, d.line) for d in read.directives.values()] == [("--job-name", "a", 6)]
    assert read.warnings == ("line 8 of the script is not read: #SBATCH lines end at the first command.",)


def test_lines_of_another_scheduler_are_told() -> None:
    assert read_batch_script(b"#!/bin/sh\n#PBS -l nodes=2\n").warnings == (
        "line 2 of the script is not read: #PBS lines are another scheduler's.",
    )


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("--account X Y", "'Y' is not an option"),
        ("foo", "'foo' is not an option"),
        ("--accout=X", "--accout is no option of sbatch. Did you mean '--account'?"),
        ("-Z", "-Z is no option of sbatch"),
        ("-n", "-n needs a value"),
        ("--hold=yes", "--hold takes no value"),
        ('-J "open', 'opens a quote " and does not close it'),
        ("hetjob", "several kinds of nodes"),
        ("--array=1-10", "--array=1-10 asks for many tasks"),
        ("--requeue", "start the job a second time"),
        ("-D /scratch", "use cd in the script"),
        ("--wait", "keeps sbatch from answering"),
    ],
)
def test_what_cannot_be_understood_or_had_is_an_error_that_names_the_line(line: str, message: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        read_batch_script(script("-J name", line))
    assert caught.value.message.startswith("line 3 of the script: ")
    assert message in caught.value.message
    assert caught.value.field == "fileInputs.script"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"echo hello\n", "begins with #! and its interpreter"),
        (b"", "begins with #!"),
        (b"#!/bin/sh\r\necho\r\n", "Windows line ends"),
        (b"#!/bin/sh\n\0\n", "null character"),
    ],
)
def test_a_file_that_sbatch_would_not_take_is_refused(content: bytes, message: str) -> None:
    with pytest.raises(InvalidInputError, match=message):
        read_batch_script(content)


def test_bytes_that_are_no_utf8_do_not_matter_outside_the_lines() -> None:
    assert read_batch_script(b"#!/bin/sh\n#SBATCH -N 2\n# caf\xe9\necho \xff\n").value("--nodes") == "2"


@pytest.mark.parametrize(
    ("text", "minutes"),
    [("30", 30), ("30:00", 30), ("0:30", 1), ("1:30:00", 90), ("1:30:01", 91), ("2-0", 2880), ("1-2:3", 1563),
     ("1-2:3:4", 1564), ("0", 0), ("UNLIMITED", 0), ("infinite", 0), ("1:2:3:4", None), ("soon", None),
     ("", None), ("1-", None)],
)  # fmt: skip
def test_times_are_read_as_slurm_reads_them(text: str, minutes: int | None) -> None:
    assert minutes_of(text) == minutes


@pytest.mark.parametrize(
    ("text", "megabytes"),
    [("4000", 4000), ("4000M", 4000), ("4G", 4096), ("4gb", 4096), ("1T", 1048576), ("1500K", 2), ("0", 0),
     ("1.5G", None), ("many", None), ("", None)],
)  # fmt: skip
def test_memory_is_read_as_slurm_reads_it(text: str, megabytes: int | None) -> None:
    assert megabytes_of(text) == megabytes


def request_of(content: bytes, app: str = "slurm") -> dict[str, Any]:
    url = f"data:;base64,{base64.b64encode(content).decode()}"
    return {"appId": app, "fileInputs": [{"name": "data"}, {"name": "script", "sourceUrl": url}]}


@pytest.mark.parametrize(
    ("request_", "name"),
    [
        (request_of(script("-J 'my job'")), "my job"),
        (request_of(script("-J " + 70 * "x")), 64 * "x"),
        (request_of(script("-N 2")), None),
        (request_of(script("-J x", "foo")), None),
        (request_of(script("-J x"), app="bash"), None),
        ({"appId": "slurm", "fileInputs": [{"name": "script", "sourceUrl": "tapis://a/b"}]}, None),
        ({"appId": "slurm", "fileInputs": "wrong"}, None),
        ({"appId": "slurm"}, None),
    ],
)
def test_a_request_without_a_name_takes_that_of_its_script(
    request_: dict[str, Any], name: str | None
) -> None:
    assert job_name_of(request_) == name


# --- what becomes of them --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("lines", "nodes", "cores", "tasks"),
    [
        (["-N 2"], 2, 1, None),
        (["-n 4"], 1, 4, None),
        (["-N 2 -n 4"], 2, 2, None),
        (["-N 2 --ntasks-per-node=4"], 2, 4, None),
        (["-c 4"], 1, 4, 1),
        (["-N 2 --ntasks-per-node=2 -c 4"], 2, 8, 4),
        (["-n 6 -c 2 -N 3"], 3, 4, 6),
        (["-n 7 -N 2"], 2, 4, 7),
        (["-n 10 --ntasks-per-node=4"], 3, 4, 10),
        # As many nodes as the queue's cores make necessary.
        (["-n 20"], 3, 7, 20),
        (["-n 4 -c 4"], 2, 8, 4),
    ],
)
def test_nodes_and_cores_are_counted_from_tasks(
    lines: list[str], nodes: int, cores: int, tasks: int | None
) -> None:
    scripted = laid(*lines)
    assert (scripted.raw["nodeCount"], scripted.raw["coresPerNode"], scripted.task_count) == (
        nodes,
        cores,
        tasks,
    )
    assert {"nodeCount", "coresPerNode"} <= scripted.fields


@pytest.mark.parametrize(
    ("line", "field", "value"),
    [
        ("--time=1:30:00", "maxMinutes", 90),
        ("-t 0", "maxMinutes", 600),
        ("--mem=4G", "memoryMB", 4096),
        ("--mem=0", "memoryMB", 16000),
        ("--mem-per-cpu=500 -n 4", "memoryMB", 2000),
        ("-p debug", "execSystemLogicalQueue", "small"),
    ],
)
def test_times_memory_and_partition_become_fields_of_the_job(line: str, field: str, value: Any) -> None:
    scripted = laid(line)
    assert scripted.raw[field] == value
    assert field in scripted.fields
    assert not any(option.startswith(("--time", "--mem", "--partition")) for option in options(scripted))


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("-N 2-4", "--nodes=2-4 is not one number"),
        ("-n 0", "--ntasks=0 is not one number"),
        ("--time=soon", "is no time"),
        ("--mem=lots", "is no amount of memory"),
        ("-p gpu", "is no partition of a queue of frontera"),
        ("-p debug,normal", "names several partitions"),
        ("--mem=1G --mem-per-cpu=10", "exclude each other"),
    ],
)
def test_a_value_that_a_job_cannot_have_names_its_line(line: str, message: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        laid("-J x", line)
    assert caught.value.message.startswith("line 3 of the script: ")
    assert message in caught.value.message


@pytest.mark.parametrize("line", ["--time=0", "--mem=0"])
def test_all_there_is_must_be_known(line: str) -> None:
    with pytest.raises(InvalidInputError, match="line 2 of the script"):
        laid(line, system=FREE)


def test_the_rest_stays_an_option_and_says_its_line() -> None:
    scripted = laid(
        "-A ABC", "--gres=gpu:2 --exclusive", '-J "a job"', "--ntasks-per-node=2 -c 3", "--export=ALL"
    )
    assert options(scripted) == [
        "--account=ABC",
        "--gres=gpu:2",
        "--exclusive",
        "--job-name='a job'",
        "--ntasks-per-node=2",
        "--cpus-per-task=3",
    ]
    assert scripted.raw["parameterSet"]["schedulerOptions"][1]["description"] == "line 3 of the script"


@pytest.mark.parametrize(
    ("lines", "logs"),
    [
        (["-o out.txt"], ("out.txt", "out.txt")),
        (["-o log/out.txt -e log/err.txt"], ("log/out.txt", "log/err.txt")),
        (["-e err.txt"], ("tapisjob.out", "err.txt")),
        (["-o 50%%.txt"], ("50%.txt", "50%.txt")),
    ],
)
def test_output_files_of_the_jobs_own_directory_become_its_logs(
    lines: list[str], logs: tuple[str, str]
) -> None:
    scripted = laid(*lines)
    assert scripted.raw["parameterSet"]["logConfig"] == {"stdoutFilename": logs[0], "stderrFilename": logs[1]}
    assert options(scripted) == []


@pytest.mark.parametrize("line", ["-o slurm-%j.out", "-o /work/out.txt", "-o ../out", "-o a.txt -e %x.err"])
def test_output_files_that_slurm_names_stay_with_slurm(line: str) -> None:
    scripted = laid(line)
    assert "logConfig" not in scripted.raw["parameterSet"]
    assert options(scripted)[0].startswith("--output=")


def test_the_request_goes_before_the_script() -> None:
    scripted = laid(
        "-N 2 --ntasks-per-node=4", "-t 10", "--mem=1G", "-p debug", "-A ABC", "-o out",
        nodeCount=3, maxMinutes=5, memoryMB=700, execSystemLogicalQueue="big",
        parameterSet={
            "schedulerOptions": [{"arg": "-A MINE"}],
            "logConfig": {"stdoutFilename": "a", "stderrFilename": "b"},
        },
    )  # fmt: skip
    raw = scripted.raw
    assert (raw["nodeCount"], raw["coresPerNode"], raw["maxMinutes"], raw["memoryMB"]) == (3, 4, 5, 700)
    assert raw["execSystemLogicalQueue"] == "big"
    assert options(scripted) == ["--ntasks-per-node=4", "-A MINE"]
    assert raw["parameterSet"]["logConfig"]["stdoutFilename"] == "a"
    assert (scripted.fields, scripted.task_count) == ({"coresPerNode"}, None)


def test_cores_that_the_request_says_change_the_tasks_of_a_node() -> None:
    scripted = laid("-N 2 --ntasks-per-node=4 -c 2", coresPerNode=4)
    assert options(scripted) == ["--ntasks-per-node=2", "--cpus-per-task=2"]
    assert (scripted.raw["coresPerNode"], scripted.task_count) == (4, 4)


def test_what_the_script_leaves_to_the_site_is_told() -> None:
    assert laid("-A X").warnings == (
        "the script asks for no time limit: maxMinutes is that of the app.",
        "the script asks for no memory: memoryMB is that of the app.",
    )
    assert laid("-t 5", "--mem=1").warnings == ()


def test_the_job_shows_what_the_script_said_and_where_it_comes_from(resolved: Resolve) -> None:
    scripted = laid("-N 2 --ntasks-per-node=2 -c 4", "-t 25", "-p debug", "--qos=high")
    fields = {k: v for k, v in scripted.raw.items() if k not in ("name", "appId", "appVersion")}
    job, definition = resolved(
        app=make_app({"memoryMB": 2000}, jobType="BATCH"), system=CLUSTER, scripted=scripted, **fields
    )
    assert (job.node_count, job.cores_per_node, job.max_minutes) == (2, 8, 25)
    assert job.exec_system_logical_queue == "small"
    wanted = ("nodeCount", "coresPerNode", "maxMinutes", "execSystemLogicalQueue", "memoryMB")
    assert [definition.sources[name] for name in wanted] == ["script"] * 4 + ["app"]
    assert {
        "--nodes=2",
        "--ntasks=4",
        "--ntasks-per-node=2",
        "--cpus-per-task=4",
        "--qos=high",
        "--time=25",
    } <= set(directives_of(job, definition))
    assert "the script asks for no memory: memoryMB is that of the app." in definition.warnings

"""Batch jobs on a real Slurm cluster over SSH: own scripts, MPI, prefixes, profiles, options, live output."""

from __future__ import annotations

import re
from collections import Counter

import pytest
from plain_http import PlainHttp, bash, data_url, good, refused

#: Calls the real MPI library without a compiler: every rank adds its number to the others'.
MPI = """
import ctypes, os, socket
mpi = ctypes.CDLL("libmpi.so.40", ctypes.RTLD_GLOBAL)
def of(name):
    return ctypes.c_void_p(ctypes.addressof(ctypes.c_char.in_dll(mpi, "ompi_mpi_" + name)))
mpi.MPI_Init(None, None)
rank, size, total = ctypes.c_int(), ctypes.c_int(), ctypes.c_int()
mpi.MPI_Comm_rank(of("comm_world"), ctypes.byref(rank))
mpi.MPI_Comm_size(of("comm_world"), ctypes.byref(size))
mpi.MPI_Allreduce(ctypes.byref(rank), ctypes.byref(total), 1, of("int"), of("op_sum"), of("comm_world"))
line = f"rank {rank.value} of {size.value} sum {total.value} {socket.gethostname()} {os.environ['K']}"
# One write, for mpirun puts the pieces of all ranks together as they come.
os.write(1, (line + chr(10)).encode())
mpi.MPI_Finalize()
"""
PROFILE = {
    "name": "site",
    "moduleLoads": [{"moduleLoadCommand": "export", "modulesToLoad": ["LOADED=yes"]}],
    "hiddenOptions": ["MEM"],
}


@pytest.fixture(scope="module")
def http(running_server, rig, until, tmp_path_factory):
    """A server that knows the rig as system login1."""
    with running_server(tmp_path_factory.mktemp("batch")) as server:
        plain = PlainHttp(server.endpoint, until)
        good(plain.post("/v3/tapisjobs/hosts", rig.adding()))
        yield plain
        plain.client.close()


def slurm(*lines, commands="hostname", **fields):
    """Return a request that runs a batch script with these #SBATCH lines."""
    text = "\n".join(["#!/bin/bash", *(f"#SBATCH {line}" for line in lines), commands, ""])
    script = {"name": "script", "sourceUrl": data_url(text)}
    return {"appId": "slurm", "appVersion": "1.0", "execSystemId": "login1", "fileInputs": [script], **fields}


def batch(text="true", **fields):
    """Return a BATCH job of the app bash."""
    return bash(text, execSystemId="login1", jobType="BATCH", memoryMB=200, maxMinutes=5, **fields)


def output(http, job, path="tapisjob.out"):
    return http.output(job, path).decode()


# --- own scripts -----------------------------------------------------------------------------------


def test_the_lines_of_a_batch_script_are_the_jobs_fields(http):
    request = slurm(
        "-J mine", "-N 2 --ntasks-per-node=2", "-t 0:90", "--mem=500M", "-p development", '-o "run 1.txt"',
        commands="srun sh -c 'echo task of $SLURM_NTASKS on $(hostname)'\necho $SLURM_JOB_NAME $0",
    )  # fmt: skip
    preview = good(http.post("/v3/jobs/validate", request))
    names = ("nodeCount", "coresPerNode", "maxMinutes", "memoryMB", "execSystemLogicalQueue")
    assert [preview["job"][name] for name in names] == [2, 2, 2, 500, "development"]
    assert {preview["sources"][name] for name in names} == {"script"}
    assert "#SBATCH --ntasks-per-node=2\n" in preview["script"]

    job = http.run(request)
    assert (job["status"], job["name"], job["remoteResultInfo"]) == ("FINISHED", "mine", "0")
    lines = output(http, job, "run 1.txt").splitlines()
    assert all(re.fullmatch(r"task of 4 on node\d", line) for line in lines[:4])
    assert sorted(Counter(lines[:4]).values()) == [2, 2]
    assert lines[4].startswith("mine ")


def test_what_the_request_says_goes_before_the_script(http):
    job = http.run(slurm("-N 2", "-t 90", "--mem=1G", "-J mine", nodeCount=1, maxMinutes=3, name="asked"))
    assert (job["name"], job["nodeCount"], job["maxMinutes"], job["memoryMB"]) == ("asked", 1, 3, 1024)
    assert job["status"] == "FINISHED"


def test_a_script_runs_by_its_own_first_line_with_the_environment_of_a_login(http):
    text = "#!/usr/bin/env python3\n#SBATCH -t 1 --mem=100\nimport os\nprint(os.environ['HOME'], __file__)\n"
    request = slurm() | {"fileInputs": [{"name": "script", "sourceUrl": data_url(text)}]}
    job = http.run(request)
    assert job["status"] == "FINISHED"
    assert re.fullmatch(r"/home/\S+ \S*script\.slurm\n", output(http, job))


def test_a_script_that_lies_on_the_cluster_is_read_there(http, rig):
    rig.ssh("printf '#!/bin/sh\\n#SBATCH -t 7 --mem=100\\necho there\\n' > own.slurm")
    home = rig.ssh("pwd").strip()
    request = slurm() | {"fileInputs": [{"name": "script", "sourceUrl": f"tapis://login1{home}/own.slurm"}]}
    job = http.run(request)
    assert (job["status"], job["maxMinutes"], output(http, job)) == ("FINISHED", 7, "there\n")
    missing = slurm() | {"fileInputs": [{"name": "script", "sourceUrl": f"tapis://login1{home}/none.slurm"}]}
    assert "does not exist" in refused(http.submit(missing), 400)


def test_the_end_of_a_script_is_the_end_of_the_job(http):
    job = http.run(slurm("-t 1", "--mem=100", commands="echo out; echo err >&2; exit 7"))
    assert (job["status"], job["remoteResultInfo"]) == ("FAILED", "7")
    assert output(http, job) == "out\nerr\n"


def test_a_name_that_only_slurm_can_make_is_made_by_slurm(http):
    job = http.run(slurm("-t 1", "--mem=100", "-o log-%j.txt", commands="echo in my own file"))
    assert output(http, job, f"log-{job['remoteJobId']}.txt") == "in my own file\n"
    # Who does not know that name finds it under the usual one.
    assert output(http, job) == "in my own file\n"
    with http.client.stream("GET", f"/v3/jobs/{job['uuid']}/output/follow/tapisjob.out") as answer:
        assert answer.read() == b"in my own file\n"


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("--array=1-9", "line 3 of the script: --array=1-9 asks for many tasks"),
        ("--acount=X", "Did you mean '--account'?"),
        ("-p larg", "is no partition of a queue of login1"),
        ("-t soon", "is no time"),
        ("--requeue", "start the job a second time"),
    ],
)
def test_a_line_that_cannot_be_had_is_told_with_its_number(http, line, sentence):
    before = http.count()
    message = refused(http.submit(slurm("-J x", line)), 400)
    assert "line 3 of the script: " in message
    assert sentence in message
    assert http.count() == before


# --- MPI, prefixes, profiles, options --------------------------------------------------------------


@pytest.mark.needs("mpirun")
def test_mpirun_starts_the_ranks_on_all_nodes(http):
    request = batch(
        isMpi=True, mpiCmd="mpirun", nodeCount=2, coresPerNode=2,
        parameterSet={"envVariables": [{"key": "K", "value": "a 'b'"}]},
    ) | {"appId": "python", "fileInputs": [{"name": "script", "sourceUrl": data_url(MPI)}]}  # fmt: skip
    job = http.run(request)
    assert job["status"] == "FINISHED", output(http, job)
    lines = sorted(output(http, job).splitlines())
    assert [line.split(" node")[0] for line in lines] == [f"rank {n} of 4 sum 6" for n in range(4)]
    assert len({line.split()[6] for line in lines}) == 2
    assert all(line.endswith(" a 'b'") for line in lines)


def test_srun_starts_a_task_for_each_core_whatever_is_exported(http):
    request = batch(
        'echo "$SLURM_PROCID $K"', isMpi=True, mpiCmd="srun", nodeCount=2, coresPerNode=2,
        parameterSet={
            "envVariables": [{"key": "K", "value": "v"}],
            "schedulerOptions": [{"arg": "--export=NONE"}],
        },
    )  # fmt: skip
    assert sorted(output(http, http.run(request)).splitlines()) == ["0 v", "1 v", "2 v", "3 v"]


def test_a_prefix_stands_before_the_program(http):
    job = http.run(batch('echo "$A $B"', cmdPrefix="env A=1 env B=5"))
    assert output(http, job).split() == ["1", "5"]


def test_a_profile_loads_modules_and_hides_what_the_site_refuses(http):
    good(http.post("/v3/systems/schedulerProfile", PROFILE))
    options = {"schedulerOptions": [{"arg": "--tapis-profile site"}]}
    job = http.run(batch("echo loaded: $LOADED", parameterSet=options))
    assert (job["status"], output(http, job)) == ("FINISHED", "loaded: yes\n")
    script = output(http, job, "tapisjob.sh")
    assert script.startswith("#!/bin/bash -l\n")
    assert "--mem" not in script
    unknown = {"schedulerOptions": [{"arg": "--tapis-profile sitte"}]}
    assert "site" in refused(http.submit(batch(parameterSet=unknown)), 404)


def test_options_and_odd_file_names_reach_slurm_as_they_were_written(http, rig):
    name = 'a "b" #c \\ $HOME'
    parameters = {
        "schedulerOptions": [{"arg": f"--job-name={name}"}, {"arg": "--nice=3"}],
        "logConfig": {"stdoutFilename": "50%j #1.out", "stderrFilename": 'e "r\\r".txt'},
    }
    job = http.run(batch("echo out; echo err >&2", parameterSet=parameters))
    shown = rig.slurm("scontrol", "-o", "show", "job", job["remoteJobId"])
    assert f"JobName={name} UserId=" in shown
    listed = {row["name"] for row in http.get(f"/v3/jobs/{job['uuid']}/output/list/")}
    assert {"50%j #1.out", 'e "r\\r".txt'} <= listed
    assert not any(name.startswith("slurm-") for name in listed)


def test_a_signal_that_the_user_asks_slurm_for_reaches_the_script(http):
    commands = "trap 'echo warned; exit 3' USR1\nfor n in {1..600}; do sleep 0.2; done"
    job = http.run(slurm("-t 1", "--mem=100", "--signal=B:USR1@57", commands=commands))
    assert (job["status"], job["remoteResultInfo"], output(http, job)) == ("FAILED", "3", "warned\n")


# --- live output -----------------------------------------------------------------------------------


def test_the_output_of_a_running_batch_job_is_followed_to_its_end(http, rig):
    text = "echo one; until [ -e go ]; do sleep 0.1; done; printf 'two\\377'; exit 0"
    uuid = good(http.submit(batch(text)))["uuid"]
    folder = http.get(f"/v3/jobs/{uuid}")["execSystemOutputDir"]
    seen = b""
    with http.client.stream("GET", f"/v3/jobs/{uuid}/output/follow/tapisjob.out", timeout=180) as answer:
        for chunk in answer.iter_raw():
            if not seen:
                rig.ssh(f"touch {folder}/go")
            seen += chunk
    assert seen == b"one\ntwo\xff"
    assert http.get(f"/v3/jobs/{uuid}/status")["status"] == "FINISHED"


def test_the_definition_of_the_app_slurm_is_for_all_to_see(http):
    app = http.get("/v3/apps/slurm")
    assert (app["jobType"], app["jobAttributes"]["fileInputs"][0]["targetPath"]) == ("BATCH", "script.slurm")
    message = refused(http.submit(slurm("-t 1") | {"execSystemId": "local"}), 400)
    assert "no batch scheduler" in message

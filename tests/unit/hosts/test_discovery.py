"""What hosts say of themselves, as systems: recorded answers of older and newer Slurm, and odd hosts."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
from pathlib import Path

import pytest

from jupyter_tapis_jobs.engine.discovery import definition, discover, work_place
from jupyter_tapis_jobs.engine.host_facts import facts, script
from jupyter_tapis_jobs.engine.host_report import report, span
from jupyter_tapis_jobs.engine.partitions import megabytes, minutes, partitions
from jupyter_tapis_jobs.model.errors import InvalidInputError, UnavailableError
from jupyter_tapis_jobs.model.system import parse_system
from jupyter_tapis_jobs.transports.base import Answer

RECORDED = Path(__file__).parent / "recorded"
NOW = "2026-11-21T09:00:00.000000Z"


def recorded(version, groups=()):
    folder = RECORDED / f"slurm-{version}"
    return partitions((folder / "partitions.txt").read_text(), (folder / "nodes.txt").read_text(), groups)


#: The commands that every host has.
COMMON = ("sh", "id", "mkdir", "rm", "dirname", "nproc", "sed", "grep", "head", "tar", "find", "stat", "cp",
          "timeout", "cat")  # fmt: skip


class Site:
    """A host with commands of its own: each says what it is told to, and ends so."""

    def __init__(self, folder):
        self.bin, self.home, self.common = folder / "bin", folder / "home", folder / "common"
        for place in (self.bin, self.home, self.common):
            place.mkdir()
        for tool in COMMON:
            (self.common / tool).symlink_to(shutil.which(tool))
        self.variables = {"HOME": str(self.home), "PATH": f"{self.bin}:{self.common}"}

    def has(self, command, said, code=0):
        """Put a command on the path."""
        program = self.bin / command
        program.write_text(f"#!/bin/sh\ncat <<'SAID'\n{said}\nSAID\nexit {code}\n")
        program.chmod(0o755)

    def has_slurm(self, version, *, arrays=True):
        """Put Slurm's commands on the path, which answer as they were recorded."""
        folder = RECORDED / f"slurm-{version}"
        config = (folder / "config.txt").read_text()
        nodes = (folder / "nodes.txt").read_text()
        self._switch("sinfo", {"--version": f"slurm-wlm {version}.8", "*": nodes})
        self._switch("scontrol", {"*config": config, "*": (folder / "partitions.txt").read_text()})
        refused = "sbatch: error: Job arrays are not allowed on this system."
        program = self.bin / "sbatch"
        check = "" if arrays else f"case $* in *--array*) echo '{refused}'; exit 1;; esac\n"
        program.write_text(f"#!/bin/sh\n{check}echo 'sbatch: Job 3 to start at 2026-11-21T09:00:00'\n")
        program.chmod(0o755)

    def has_accounting(self, associations, qos):
        """Put sacctmgr on the path."""
        self._switch("sacctmgr", {"*assoc*": associations, "*qos*": qos})

    def _switch(self, command, answers):
        cases = "".join(f"{pattern}) cat <<'SAID'\n{said}\nSAID\n;;\n" for pattern, said in answers.items())
        program = self.bin / command
        program.write_text(f"#!/bin/sh\ncase $* in {cases}esac\n")
        program.chmod(0o755)

    def answer(self):
        """Run the look there."""
        plain = {"PATH": str(self.common), "HOME": str(self.home)}
        told = subprocess.run(["sh", "-c", script(self.variables)], env=plain, capture_output=True, text=True)
        assert told.stderr == ""
        return told.stdout

    def look(self):
        """Return what is read in its answer."""
        return facts(self.answer(), self.variables)

    # -- the verbs of a transport that a look needs

    async def environment(self, names):
        return {name: self.variables[name] for name in names if name in self.variables}

    async def run(self, text, *, timeout=60.0, live=False):
        return Answer(0, self.answer(), "")


@pytest.fixture
def site(tmp_path):
    return Site(tmp_path)


# --- partitions -------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("version", "groups", "expected"),
    [
        ("22.05", (), {"development": (4, 8, 4000, 10), "normal": (4, 8, 4000, 2880)}),
        ("20.11", ("G-1",), {"development": (40, 56, 192000, 120), "normal": (512, 112, 2100000, 2880)}),
        (
            "24.05",
            (),
            {"cpu": (200, 120, 250000, 10080), "gpu": (8, 64, 515000, 2190), "old": (1, 16, 64000, None)},
        ),
    ],
)
def test_partitions_become_queues_with_their_limits(version, groups, expected):
    queues = [partition.queue() for partition in recorded(version, groups)]
    found = {
        q["name"]: (q["maxNodeCount"], q["maxCoresPerNode"], q["maxMemoryMB"], q.get("maxMinutes"))
        for q in queues
    }
    assert found == expected


def test_a_partition_for_some_groups_is_a_queue_for_them_only():
    assert "large" not in [p.name for p in recorded("20.11", ["users"])]
    (large,) = [p for p in recorded("20.11", ["users", "G-25072"]) if p.name == "large"]
    assert (large.queue()["minNodeCount"], large.queue()["maxNodeCount"]) == (513, 2048)


def test_a_partition_of_root_is_nobodys_queue():
    assert "systest" not in [p.name for p in recorded("20.11")]


@pytest.mark.parametrize(
    ("text", "expected"),
    [("10:00", 10), ("02:00:00", 120), ("2-00:00:00", 2880), ("1-12:30:00", 2190), ("00:30", 1),
     ("UNLIMITED", None), ("NONE", None)],
)  # fmt: skip
def test_times_of_slurm_are_minutes(text, expected):
    assert minutes(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [("4000", 4000), ("16G", 16384), ("1.5T", 1572864), ("UNLIMITED", None), (None, None)],
)
def test_sizes_of_slurm_are_megabytes(text, expected):
    assert megabytes(text) == expected


@pytest.mark.parametrize(
    ("length", "words"),
    [(10, "10 min"), (90, "1 h 30 min"), (120, "2 h"), (2880, "48 h"), (10080, "7 d"), (None, "")],
)
def test_limits_are_told_in_words(length, words):
    assert span(length) == words


# --- a whole host -----------------------------------------------------------------------------
@pytest.mark.parametrize("version", ["20.11", "22.05", "24.05"])
def test_a_cluster_becomes_a_system_that_can_be_registered(site, version):
    site.has_slurm(version)
    found = site.look()
    raw = definition(found, checked=NOW) | {
        "id": "cluster", "host": "login1", "defaultAuthnMethod": "PKI_KEYS",
    }  # fmt: skip
    system, warnings = parse_system(raw)
    assert warnings == []
    assert system.can_run_batch
    assert system.batch_default_logical_queue in ("normal", "cpu")
    assert list(system.queues) == [p.name for p in found.slurm.partitions]


@pytest.mark.parametrize(
    ("associations", "qos", "expected"),
    [
        # The partition's QOS comes before the user's association.
        ("A||normal||500||", "normal|50|2-00:00:00|node=256", (50, 2880, 256)),
        ("A||normal||500||", "normal|||", (500, 2880, 512)),
        # Of two accounts the wider counts; one without a limit has none.
        ("A||normal||5||\nB||normal||||", "normal|||", (None, 2880, 512)),
        ("A||long||5|1-00:00:00|\nB||long||7|12:00:00|", "long|||cpu=9\nother|1||", (7, 1440, 512)),
        # What holds for another partition does not hold here.
        ("A|development|normal||5||", "normal|||", (None, 2880, 512)),
        ("sacctmgr: error: Access denied", "", (None, 2880, 512)),
    ],
)
def test_what_the_accounting_allows_the_user_limits_the_queues(site, associations, qos, expected):
    site.has_slurm("20.11")
    site.has_accounting(associations, qos)
    queue = {p.name: p.queue() for p in site.look().slurm.partitions}["normal"]
    assert (queue.get("maxJobsPerUser"), queue["maxMinutes"], queue["maxNodeCount"]) == expected


def test_people_are_told_in_two_lines(site):
    site.has_slurm("20.11", arrays=False)
    site.has("apptainer", "apptainer version 1.3.4-1.el9")
    scratch = site.home / "scratch"
    scratch.mkdir()
    site.variables["SCRATCH"] = str(scratch)
    found = site.look()
    told = report(found, definition(found, checked=NOW), NOW)
    assert told["lines"] == [
        "Slurm 20.11 · queues development (40 nodes, 2 h) normal (512 nodes, 48 h) · arrays forbidden · "
        "apptainer 1.3.4-1.el9",
        "work directory $SCRATCH/tapis · ready",
    ]
    assert told["scheduler"] == "Slurm 20.11"
    assert told["arrays"] == {"max": 0}
    assert told["warnings"] == []


@pytest.mark.parametrize(
    ("version", "takes", "may", "size"),
    [("22.05", True, True, 10001), ("22.05", False, False, 0), ("20.11", True, False, 0)],
)
def test_arrays_are_forbidden_by_the_setting_or_by_a_refusal(site, version, takes, may, size):
    site.has_slurm(version, arrays=takes)
    notes = definition(site.look(), checked=NOW)["notes"]["tapisjobs"]
    assert (notes["arrays"], notes["maxArraySize"]) == (may, size)


def test_a_site_without_accounting_and_with_a_closed_queue_says_so(site):
    site.has_slurm("24.05")
    found = site.look()
    told = report(found, definition(found, checked=NOW), NOW)["warnings"]
    assert any("old" in sentence for sentence in told)
    assert any("accounting" in sentence for sentence in told)
    assert not definition(found, checked=NOW)["notes"]["tapisjobs"]["accounting"]


def test_what_only_a_login_shell_knows_is_kept_for_later_scripts(site):
    site.has_slurm("22.05")
    assert site.look().environment == {"PATH": site.variables["PATH"]}


def test_a_host_without_slurm_runs_jobs_itself(site):
    found = site.look()
    raw = definition(found, checked=NOW)
    assert found.slurm is None
    assert not raw["canRunBatch"]
    assert raw["notes"]["tapisjobs"]["coresPerNode"] == len(os.sched_getaffinity(0))
    assert report(found, raw, NOW)["lines"][0].startswith("no Slurm · jobs run on the login host")


@pytest.mark.parametrize(
    ("set_there", "expected"),
    [
        (("SCRATCH", "WORK"), "HOST_EVAL($SCRATCH)/tapis"),
        (("WORK",), "HOST_EVAL($WORK)/tapis"),
        ((), "HOST_EVAL($HOME)/tapisjobs"),
    ],
)
def test_jobs_work_below_scratch_or_work_or_home(site, set_there, expected):
    for name in set_there:
        site.variables[name] = str(site.home / name)
    assert work_place(site.look()) == expected


@pytest.mark.needs("not root")
def test_a_scratch_that_cannot_be_written_is_passed_over(site):
    closed = site.home / "closed"
    closed.mkdir(mode=0o500)
    site.variables["SCRATCH"] = str(closed)
    assert work_place(site.look()) == "HOST_EVAL($HOME)/tapisjobs"


def test_below_a_root_of_its_own_the_working_directory_begins_there(site):
    site.variables["SCRATCH"] = str(site.home / "scratch")
    found = site.look()
    assert work_place(found, str(site.home)) == "/scratch/tapis"
    assert work_place(found, "/elsewhere") == "/tapisjobs"


def test_docker_counts_only_where_its_daemon_answers(site):
    site.has("docker", "Cannot connect to the Docker daemon", code=1)
    site.has("podman", "podman version 4.9.4")
    assert dict(site.look().runtimes)["DOCKER"] == "podman 4.9.4"


async def test_a_home_that_cannot_be_written_is_refused_with_its_reason(site):
    (site.home / ".tapisjobs").write_text("in the way")
    with pytest.raises(InvalidInputError, match=r"home .* of .* on login1 cannot be written \(.*File exists"):
        await discover(site, "login1")


async def test_a_host_without_gnu_tar_is_refused(site):
    site.has("tar", "bsdtar 3.6.2 - libarchive 3.6.2")
    with pytest.raises(InvalidInputError, match="login1 has no GNU tar"):
        await discover(site, "login1")


async def test_a_scheduler_that_is_away_is_no_host_without_scheduler(site):
    site.has_slurm("22.05")
    site.has(
        "scontrol", "slurm_load_partitions: Unable to contact slurm controller (connect failure)", code=1
    )
    with pytest.raises(UnavailableError, match="Slurm on login1 does not answer now"):
        await discover(site, "login1")


async def test_slurms_commands_without_a_cluster_are_a_warning(site):
    site.has_slurm("22.05")
    site.has("scontrol", "scontrol: fatal: Unable to process configuration file", code=1)
    found = await discover(site, "login1")
    assert found.slurm is None
    assert any(
        "Unable to process" in words
        for words in report(found, definition(found, checked=NOW), NOW)["warnings"]
    )


def test_the_look_leaves_nothing_behind_but_the_folder_of_jobs(site):
    site.look()
    assert [path.name for path in site.home.iterdir()] == [".tapisjobs"]
    assert list((site.home / ".tapisjobs").iterdir()) == []
    assert stat.S_IMODE((site.home / ".tapisjobs").stat().st_mode) == 0o700


def test_a_place_may_hold_any_word_of_the_script():
    text = script({"HOME": "/home/format=QOS", "SCRATCH": "/s/in TOOLS"})
    assert "for at in '/s/in TOOLS' /home/format=QOS; do" in text

"""One output of each of many jobs: few questions, nothing outside a job's directory, every job answered."""

import io
import json
import tarfile

import pytest

from jupyter_tapis_jobs.engine import collect
from jupyter_tapis_jobs.model.errors import InvalidInputError, TapisJobsError
from jupyter_tapis_jobs.model.job import Job
from jupyter_tapis_jobs.model.status import JobStatus
from jupyter_tapis_jobs.transports.local import LocalTransport


def job(number):
    return Job(
        uuid=f"{number}-007", tenant="t", owner="me", name=f"case-{number}", description="", app_id="a",
        app_version="1", job_type="BATCH", exec_system_id="rig", archive_system_id="rig",
        exec_system_logical_queue=None, effective_user_id="me", node_count=1, cores_per_node=1, memory_mb=1,
        max_minutes=1, status=JobStatus.FINISHED, created="", last_updated="",
    )  # fmt: skip


class Host(LocalTransport):
    """This machine, with its questions counted."""

    def __init__(self):
        super().__init__()
        self.asked = []

    async def look(self, paths):
        self.asked.append("look")
        return await super().look(paths)

    async def get(self, paths, *, limit=65536):
        self.asked.append("get")
        return await super().get(paths, limit=limit)


@pytest.fixture
def host():
    return Host()


@pytest.fixture
def read(tmp_path, host):
    """``await read("disp.csv", jobs)`` returns (uuid -> bytes, uuid -> why not)."""

    async def place(job, definition):
        return host, str(tmp_path / job.name)

    async def read(path, jobs):
        stream = b"".join([p async for p in collect.collected([(j, None) for j in jobs], path, place)])
        with tarfile.open(fileobj=io.BytesIO(stream)) as archive:
            members = {member.name: archive.extractfile(member).read() for member in archive}
        files = {name[6:]: data for name, data in members.items() if name.startswith("files/")}
        errors = {
            name[7:]: json.loads(data)["message"]
            for name, data in members.items()
            if name.startswith("errors/")
        }
        assert len(files) + len(errors) == len(members) == len(jobs)
        return files, errors

    return read


def write(folder, content, name="disp.csv"):
    folder.mkdir(exist_ok=True)
    (folder / name).write_bytes(content)


async def test_many_jobs_take_two_questions(read, host, tmp_path):
    jobs = [job(n) for n in range(200)]
    for n in range(200):
        write(tmp_path / f"case-{n}", f"u\n{n}\n".encode())
    files, errors = await read("disp.csv", jobs)
    assert files == {f"{n}-007": f"u\n{n}\n".encode() for n in range(200)}
    assert errors == {}
    assert host.asked == ["look", "get"]


async def test_what_is_not_there_is_answered_job_by_job(read, tmp_path):
    write(tmp_path / "case-0", b"u\n")
    write(tmp_path / "case-1", b"u\n", name="other.csv")
    (tmp_path / "case-2" / "disp.csv").mkdir(parents=True)
    files, errors = await read("disp.csv", [job(n) for n in range(4)])
    assert list(files) == ["0-007"]
    assert errors == {
        "1-007": "job case-1 has no output 'disp.csv'.",
        "2-007": "'disp.csv' is no file among the outputs of job case-2.",
        "3-007": "job case-3 has no output 'disp.csv'.",
    }


async def test_a_link_out_of_the_directory_is_not_followed_one_inside_is(read, tmp_path):
    write(tmp_path, b"secret", name="secret")
    write(tmp_path / "case-0", b"u\n1\n", name="real.csv")
    (tmp_path / "case-0" / "disp.csv").symlink_to("real.csv")
    (tmp_path / "case-1").mkdir()
    (tmp_path / "case-1" / "disp.csv").symlink_to("../secret")
    files, errors = await read("disp.csv", [job(0), job(1)])
    assert files == {"0-007": b"u\n1\n"}
    assert "leads outside" in errors["1-007"]


async def test_a_path_that_climbs_is_refused(read):
    with pytest.raises(InvalidInputError):
        await read("../secret", [job(0)])


@pytest.mark.parametrize("size", [0, 1, 511, 512, 513, collect.SMALL, collect.SMALL + 1, 1_000_000])
async def test_a_file_of_any_size_comes_whole(read, tmp_path, size):
    content = bytes(n % 251 for n in range(size))
    write(tmp_path / "case-0", content)
    write(tmp_path / "case-1", b"last")
    files, _ = await read("disp.csv", [job(0), job(1)])
    assert files == {"0-007": content, "1-007": b"last"}


async def test_small_files_are_read_in_answers_of_bounded_size(read, host, tmp_path):
    count = collect.READ_BYTES // collect.SMALL + 1
    for n in range(count):
        write(tmp_path / f"case-{n}", bytes(collect.SMALL))
    files, _ = await read("disp.csv", [job(n) for n in range(count)])
    assert len(files) == count
    assert host.asked == ["look", "get", "get"]


async def test_a_file_that_becomes_shorter_breaks_the_stream_instead_of_the_table(read, host, tmp_path):
    write(tmp_path / "case-0", bytes(collect.SMALL + 1))

    async def shorter(path, *, offset=0, length=None):
        yield b"only this"

    host.read = shorter
    with pytest.raises(TapisJobsError, match="became shorter"):
        await read("disp.csv", [job(0)])


async def test_a_file_that_is_gone_or_grew_meanwhile_is_said_to_be(read, host, tmp_path):
    write(tmp_path / "case-0", b"u\n")
    write(tmp_path / "case-1", b"u\n")
    look = host.look

    async def look_before(paths):
        found = await look(paths)
        (tmp_path / "case-0" / "disp.csv").unlink()
        write(tmp_path / "case-1", bytes(collect.SMALL + 1))
        return found

    host.look = look_before
    _, errors = await read("disp.csv", [job(0), job(1)])
    assert "is gone" in errors["0-007"]
    assert "is still being written" in errors["1-007"]

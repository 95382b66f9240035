"""One output of each of many jobs: few questions, nothing outside a job's directory, every job answered."""

import errno
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

    async def list_all(self, folders, *, depth=None):
        self.asked.append(f"list_all {depth}")
        return await super().list_all(folders, depth=depth)

    async def get(self, paths, *, limit=65536):
        self.asked.append("get")
        return await super().get(paths, limit=limit)


@pytest.fixture
def host():
    return Host()


@pytest.fixture
def place(tmp_path, host):
    async def place(job, definition):
        return host, str(tmp_path / job.name)

    return place


async def members(stream):
    """Return (name -> bytes, name -> why not)."""
    with tarfile.open(fileobj=io.BytesIO(b"".join([piece async for piece in stream]))) as archive:
        found = {member.name: archive.extractfile(member).read() for member in archive}
    files = {name[6:]: data for name, data in found.items() if name.startswith("files/")}
    errors = {
        name[7:]: json.loads(data)["message"] for name, data in found.items() if name.startswith("errors/")
    }
    assert len(files) + len(errors) == len(found)
    return files, errors


@pytest.fixture
def read(place):
    """``await read("disp.csv", jobs)`` returns (uuid -> bytes, uuid -> why not)."""

    async def read(path, jobs):
        files, errors = await members(collect.collected([(j, None) for j in jobs], path, place))
        assert len(files) + len(errors) == len(jobs)
        return files, errors

    return read


@pytest.fixture
def read_all(place):
    """``await read_all("*.csv", jobs)`` returns (uuid/name -> bytes, uuid or uuid/name -> why not)."""

    async def read_all(pattern, jobs):
        return await members(collect.matching([(j, None) for j in jobs], pattern, place))

    return read_all


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


async def test_a_glob_over_many_jobs_takes_three_questions(read_all, host, tmp_path):
    jobs = [job(n) for n in range(200)]
    for n in range(200):
        write(tmp_path / f"case-{n}", f"u\n{n}\n".encode())
        write(tmp_path / f"case-{n}", b"{}", name="other.json")
    files, errors = await read_all("*.csv", jobs)
    assert files == {f"{n}-007/disp.csv": f"u\n{n}\n".encode() for n in range(200)}
    assert errors == {}
    assert host.asked == ["look", "list_all 1", "get"]


async def test_a_glob_means_files_in_folders_only_where_it_says_so(read_all, tmp_path):
    write(tmp_path / "case-0", b"1", name="a.csv")
    write(tmp_path / "case-0" / "deep", b"2", name="b.csv")
    write(tmp_path / "case-0" / ".tapisjob", b"ours", name="c.csv")
    (tmp_path / "case-0" / "folder.csv").mkdir()
    assert list((await read_all("*.csv", [job(0)]))[0]) == ["0-007/a.csv"]
    assert list((await read_all("deep/*", [job(0)]))[0]) == ["0-007/deep/b.csv"]
    assert list((await read_all("./**/*.csv", [job(0)]))[0]) == ["0-007/a.csv", "0-007/deep/b.csv"]


async def test_a_job_without_what_a_glob_means_is_answered_too(read_all, tmp_path):
    write(tmp_path / "case-0", b"1", name="a.csv")
    write(tmp_path / "case-1", b"1", name="a.json")
    files, errors = await read_all("*.csv", [job(n) for n in range(3)])
    assert list(files) == ["0-007/a.csv"]
    assert errors == {f"{n}-007": f"job case-{n} has no output '*.csv'." for n in (1, 2)}


async def test_a_glob_follows_no_link_out_of_the_directory(read_all, tmp_path):
    write(tmp_path, b"secret", name="secret.csv")
    (tmp_path / "elsewhere").mkdir()
    write(tmp_path / "elsewhere", b"secret", name="x.csv")
    write(tmp_path / "case-0", b"mine", name="real.csv")
    for name, target in (("in.csv", "real.csv"), ("out.csv", "../secret.csv"), ("gone.csv", "nowhere")):
        (tmp_path / "case-0" / name).symlink_to(target)
    (tmp_path / "case-0" / "folder").symlink_to("../elsewhere")
    files, errors = await read_all("**/*.csv", [job(0)])
    assert files == {"0-007/in.csv": b"mine", "0-007/real.csv": b"mine"}
    assert list(errors) == ["0-007/out.csv"]
    assert "leads outside" in errors["0-007/out.csv"]


@pytest.mark.parametrize("name", ["two words.csv", "line\nbreak.csv", "naïve-日本語.csv", "x" * 200 + ".csv"])
async def test_odd_names_come_as_they_are(read_all, tmp_path, name):
    write(tmp_path / "case-0", b"1", name=name)
    assert await read_all("*.csv", [job(0)]) == ({f"0-007/{name}": b"1"}, {})


async def test_a_glob_that_means_too_much_is_refused(read_all, host, tmp_path):
    async def list_all(folders, *, depth=None):
        raise OSError(errno.E2BIG, "holds more", folders[0])

    host.list_all = list_all
    with pytest.raises(InvalidInputError, match=r"look through more than 1,000,000 outputs"):
        await read_all("**", [job(0)])
    with pytest.raises(InvalidInputError, match="is no glob"):
        await read_all("[z-a]", [job(0)])

"""What a Tapis client does with systems."""

from __future__ import annotations

import pytest

from jupyter_tapis_jobs.engine.catalog import Listing, history_to_wire
from jupyter_tapis_jobs.engine.rights import effective_user, refuse_borrowed
from jupyter_tapis_jobs.model.errors import ConflictError, InvalidInputError, NotAllowedError, NotFoundError
from jupyter_tapis_jobs.model.job import Job
from jupyter_tapis_jobs.model.search import Comparison
from jupyter_tapis_jobs.model.status import JobStatus
from jupyter_tapis_jobs.store import jobs

NOW = "2026-11-21T09:00:00.000000Z"


def _system(system_id="frontera", **fields):
    return {
        "id": system_id,
        "systemType": "LINUX",
        "host": "frontera.example.org",
        "defaultAuthnMethod": "PKI_KEYS",
        "canExec": True,
        "rootDir": "/",
        "jobWorkingDir": "HOST_EVAL($SCRATCH)/tapis",
        "jobRuntimes": [{"runtimeType": "ZIP"}],
        **fields,
    }


def test_a_created_system_reads_back_with_every_attribute(systems, owner):
    created = systems.create(owner, _system(notes={"a": 1}, isPublic=True, surprise=2))
    assert systems.get(owner, "frontera") == created
    wire = created.to_wire()
    assert (wire["owner"], wire["host"], wire["notes"], wire["surprise"]) == (
        "train301",
        "frontera.example.org",
        {"a": 1},
        2,
    )
    assert wire["batchScheduler"] is None
    assert wire["isDynamicEffectiveUser"] is True
    assert (wire["isPublic"], wire["sharedWithUsers"]) == (False, [])
    assert wire["deleted"] is False


def test_a_credential_in_a_definition_is_not_kept(systems, owner, folder):
    systems.create(owner, _system(effectiveUserId="me", authnCredential={"password": "hunter2-secret"}))
    assert systems.get(owner, "frontera").to_wire()["authnCredential"] is None
    assert not any(b"hunter2-secret" in path.read_bytes() for path in folder.iterdir() if path.is_file())


def test_a_system_that_exists_is_a_conflict_whosever_it_is(systems, owner, other):
    systems.create(owner, _system())
    for user, words in ((owner, "change it with put or patch"), (other, "is not yours; choose another id")):
        with pytest.raises(ConflictError, match=f"already exists.*{words}") as raised:
            systems.create(user, _system())
        assert raised.value.code == "SYSAPI_SYS_EXISTS"
    systems.delete(owner, "frontera")
    with pytest.raises(ConflictError, match="already exists but is deleted; undelete it"):
        systems.create(owner, _system())


@pytest.mark.parametrize(
    "call",
    [
        lambda systems, user: systems.get(user, "frontera"),
        lambda systems, user: systems.is_enabled(user, "frontera"),
        lambda systems, user: systems.history(user, "frontera"),
        lambda systems, user: systems.put(user, "frontera", _system()),
        lambda systems, user: systems.patch(user, "frontera", {"description": "x"}),
        lambda systems, user: systems.set_enabled(user, "frontera", False),
        lambda systems, user: systems.delete(user, "frontera"),
        lambda systems, user: systems.undelete(user, "frontera"),
        lambda systems, user: systems.change_owner(user, "frontera", "train302"),
    ],
)
def test_a_system_of_somebody_else_is_not_found_by_any_call(systems, owner, other, call):
    before = systems.create(owner, _system())
    with pytest.raises(NotFoundError) as raised:
        call(systems, other)
    assert raised.value.code == "SYSAPI_NOT_FOUND"
    assert systems.get(owner, "frontera") == before


def test_a_patch_replaces_what_it_names_and_is_checked_as_a_whole(systems, owner):
    systems.create(owner, _system(description="old", mpiCmd="ibrun"))
    queue = {"name": "normal", "hpcQueueName": "normal", "maxJobs": 50}
    change = {"canRunBatch": True, "batchScheduler": "SLURM", "batchLogicalQueues": [queue], "rootDir": "/"}
    patched = systems.patch(owner, "frontera", change)
    assert patched == systems.get(owner, "frontera")
    assert patched.batch_default_logical_queue == "normal"
    assert (patched.description, patched.mpi_cmd) == ("old", "ibrun")
    with pytest.raises(InvalidInputError, match="batchLogicalQueues"):
        systems.patch(owner, "frontera", {"batchLogicalQueues": []})
    assert systems.get(owner, "frontera") == patched


@pytest.mark.parametrize("call", ["patch", "put"])
@pytest.mark.parametrize(
    "change", [{"rootDir": "/home"}, {"systemType": "IRODS"}, {"canExec": False}, {"id": "x"}]
)
def test_what_is_settled_at_creation_cannot_be_changed(systems, owner, call, change):
    systems.create(owner, _system())
    name, value = next(iter(change.items()))
    with pytest.raises(InvalidInputError, match=f"{name} of system frontera cannot be changed") as raised:
        getattr(systems, call)(owner, "frontera", {**_system(), name: value})
    assert raised.value.field == name


def test_a_put_replaces_the_definition_and_keeps_state_and_identity(systems, owner):
    created = systems.create(owner, _system(description="old", mpiCmd="ibrun"))
    systems.set_enabled(owner, "frontera", False)
    body = _system(host="other.example.org", owner="mallory", enabled=True)
    for settled in ("id", "rootDir", "systemType", "canExec"):
        body.pop(settled)
    put = systems.put(owner, "frontera", body)
    assert (put.host, put.description, put.mpi_cmd) == ("other.example.org", None, None)
    assert (put.owner, put.enabled, put.uuid, put.root_dir) == ("train301", False, created.uuid, "/")


def test_a_put_that_does_not_name_the_effective_user_keeps_it(systems, owner):
    systems.create(owner, _system(effectiveUserId="train301"))
    assert systems.put(owner, "frontera", _system(description="new")).effective_user_id == "train301"
    assert systems.put(owner, "frontera", _system(effectiveUserId="train302")).effective_user_id == "train302"


def test_a_deleted_system_is_gone_until_it_is_undeleted_but_its_jobs_still_find_it(systems, owner):
    systems.create(owner, _system())
    assert systems.delete(owner, "frontera") == 1
    with pytest.raises(NotFoundError):
        systems.get(owner, "frontera")
    assert systems.find("frontera").host == "frontera.example.org"
    assert systems.undelete(owner, "frontera") == 1
    assert systems.undelete(owner, "frontera") == 0
    assert systems.is_enabled(owner, "frontera") is True


def test_a_system_is_disabled_given_away_and_its_history_tells(systems, owner, other):
    systems.create(owner, _system())
    assert systems.set_enabled(owner, "frontera", False) == 1
    assert systems.is_enabled(owner, "frontera") is False
    assert systems.change_owner(owner, "frontera", other.name) == 1
    entries = [history_to_wire(entry, "local") for entry in systems.history(other, "frontera")]
    assert [entry["operation"] for entry in entries] == ["CREATE", "DISABLE", "CHANGE_OWNER"]
    assert "appVersion" not in entries[0]


def test_lists_are_searched_by_list_type_and_attributes(systems, owner, other, builtin):
    systems.create(other, _system())

    def ids(user, **listing):
        return [system.id for system in systems.search(user, Listing(**listing)).rows]

    assert ids(owner) == ["local"]
    assert ids(other) == ["frontera"]
    assert ids(other, list_type="ALL") == ["frontera", "local"]
    assert ids(other, list_type="ALL", where=Comparison("host", "like", "%.example.org")) == ["frontera"]
    assert ids(other, list_type="ALL", where=Comparison("can_run_batch", "eq", True)) == []


def test_local_is_for_all_to_see_and_for_the_servers_user_to_change(systems, owner, other, builtin):
    assert systems.get(other, "local").root_dir == "/"
    with pytest.raises(NotAllowedError, match="only the server's own user"):
        systems.patch(other, "local", {"description": "mine now"})
    for call in (systems.delete, lambda user, name: systems.change_owner(user, name, "x")):
        with pytest.raises(NotAllowedError, match="part of this server"):
            call(owner, "local")
    variables = [{"key": "OMP_NUM_THREADS", "value": "1"}]
    patched = systems.patch(owner, "local", {"jobEnvVariables": variables})
    assert patched.job_env_variables[0].value == "1"
    with pytest.raises(ConflictError, match="already exists"):
        systems.create(other, _system("local"))


# --- taking the place of another ----------------------------------------------------------------
def test_a_system_is_replaced_with_what_is_settled_at_creation_and_comes_back_to_sight(systems, owner):
    first = systems.create(owner, _system())
    systems.set_enabled(owner, "frontera", False)
    systems.delete(owner, "frontera")
    again = systems.replace(owner, _system(rootDir="/work"))
    assert (again.root_dir, again.deleted, again.enabled) == ("/work", False, True)
    assert again.uuid == first.uuid
    assert [entry.operation for entry in systems.history(owner, "frontera")][-1] == "replace"


def test_only_ones_own_system_can_be_replaced(systems, owner, other, builtin):
    systems.create(owner, _system())
    with pytest.raises(ConflictError, match="is not yours"):
        systems.replace(other, _system())
    with pytest.raises(NotAllowedError, match="cannot be replaced"):
        systems.replace(owner, _system("local"))


def test_what_is_stored_with_a_system_is_stored_with_it_or_not_at_all(systems, owner):
    def fail(conn):
        raise InvalidInputError("no")

    for store in (systems.create, systems.replace):
        with pytest.raises(InvalidInputError, match="no"):
            store(owner, _system(), fail)
        with pytest.raises(NotFoundError):
            systems.get(owner, "frontera")


def test_a_scheduler_profile_that_is_not_there_is_a_warning(systems, owner):
    raw = _system(batchSchedulerProfile="tacc")
    systems.create(owner, raw)
    assert any("no scheduler profile 'tacc'" in sentence for sentence in systems.review(raw, owner))


def test_a_system_with_jobs_is_not_given_away_for_they_would_use_the_new_owners_credential(
    systems, owner, other, database
):
    systems.create(owner, _system())
    job = Job(
        uuid="u", tenant="local", owner=owner.name, name="n", description="", app_id="bash",
        app_version="1.0", job_type="FORK", exec_system_id="frontera", archive_system_id="frontera",
        exec_system_logical_queue=None, effective_user_id="tg", node_count=1, cores_per_node=1,
        memory_mb=100, max_minutes=10, status=JobStatus.PENDING, created=NOW, last_updated=NOW,
    )  # fmt: skip
    database.write(lambda conn: jobs.insert(conn, [(job, "{}", "{}")]))
    with pytest.raises(ConflictError, match="jobs that have not ended"):
        systems.change_owner(owner, "frontera", other.name)
    stored = database.read(jobs.active)[0]
    done = jobs.Change(before=stored, after=stored.evolve(status=JobStatus.CANCELLED))
    database.write(lambda conn: jobs.apply(conn, [done]))
    assert systems.change_owner(owner, "frontera", other.name) == 1


def test_a_fixed_user_works_for_all_but_the_servers_own_credential_for_its_user_only(systems, owner, other):
    fixed = systems.create(owner, {**_system(), "effectiveUserId": "tg"})
    assert effective_user(fixed, owner.name) == effective_user(fixed, other.name) == "tg"
    with pytest.raises(NotAllowedError, match="credential of train301"):
        refuse_borrowed(fixed, other, owner.name)
    refuse_borrowed(fixed, owner, owner.name)

"""What a purge takes away, of whom, and what it leaves."""

from __future__ import annotations

import asyncio
import os
import re

import pytest
from old_jobs import CUT, DAY, NOW, Stopped

from jupyter_tapis_jobs.engine import purge as module
from jupyter_tapis_jobs.model.status import JobStatus
from jupyter_tapis_jobs.model.study import Study
from jupyter_tapis_jobs.model.times import iso
from jupyter_tapis_jobs.model.transfer import Element, TransferStatus, TransferTask
from jupyter_tapis_jobs.store import lease as lease_row
from jupyter_tapis_jobs.store import postits, transfers
from jupyter_tapis_jobs.store import shares as share_rows
from jupyter_tapis_jobs.store import studies as study_rows
from jupyter_tapis_jobs.store import tokens as token_rows
from jupyter_tapis_jobs.store.postits import PostItRow


# --- which jobs -------------------------------------------------------------------------------
@pytest.mark.parametrize("status", [status for status in JobStatus if status.is_terminal])
def test_old_jobs_go_with_folder_history_definition_and_shares(yard, status):
    job = yard.job(status=status)
    row = share_rows.ShareRow(
        kind="job", item_id=job.uuid, grantee="bob", privilege="READ", grantor="ada", created=CUT
    )
    yard.database.write(lambda c: share_rows.share(c, [row]))
    done = yard.run()
    assert [gone.uuid for gone in done.jobs] == [job.uuid]
    assert (done.kept, done.events) == ((), 1)
    assert not yard.place(job).exists()
    assert yard.rows("jobs", "job_definitions", "job_events", "shares") == [0, 0, 0, 0]


@pytest.mark.parametrize("status", [status for status in JobStatus if not status.is_terminal])
def test_a_job_that_has_not_ended_stays_however_old_it_is(yard, status):
    job = yard.job(status=status, days=1000)
    assert yard.run(owner=None).jobs == ()
    assert yard.stored() == [job.uuid]
    assert yard.place(job).exists()


def test_a_job_that_ended_later_stays(yard):
    yard.job(days=100)
    young = yard.job(days=80)
    yard.run()
    assert yard.stored() == [young.uuid]


def test_another_users_jobs_stay_unless_all_are_meant(yard):
    yard.job(owner="ada")
    bobs = yard.job(owner="bob")
    yard.run(owner="ada")
    assert yard.stored() == [bobs.uuid]
    assert yard.place(bobs).exists()
    yard.run(owner=None)
    assert yard.stored() == []


def test_a_dry_run_tells_the_same_and_changes_nothing(yard):
    job = yard.job()
    told = yard.run(dry_run=True)
    assert (yard.stored(), yard.place(job).exists()) == ([job.uuid], True)
    done = yard.run()
    assert (told.jobs, told.events, told.hosts) == (done.jobs, done.events, done.hosts)
    assert told.hosts[0].size >= 6000
    assert (told.hosts[0].jobs, told.hosts[0].folders) == (1, 1)


def test_thousands_leave_the_store_some_at_a_time(yard, monkeypatch):
    monkeypatch.setattr(module, "FORGOTTEN", 3)
    monkeypatch.setattr(module, "FOLDERS", 2)
    jobs = [yard.job() for _ in range(8)]
    assert len(yard.run().jobs) == 8
    assert yard.stored() == []
    assert not any(yard.place(job).exists() for job in jobs)


# --- which folders ----------------------------------------------------------------------------
def test_a_folder_that_is_not_the_jobs_alone_stays(yard):
    yard.job(
        exec_system_exec_dir="/scratch/model",
        exec_system_input_dir="/scratch/model",
        exec_system_output_dir="/results/{uuid}/out",
    )
    done = yard.run()
    assert (yard.root / "scratch/model/out.txt").exists()
    assert list((yard.root / "results").iterdir()) == []
    assert done.hosts[0].folders == 1


def test_odd_names_and_links_lead_nowhere_else(yard):
    outside = yard.folder / "precious"
    outside.mkdir()
    (outside / "keep").write_text("")
    job = yard.job(exec_system_exec_dir="/work/a b'; touch hacked; $(id) {uuid}")
    (yard.place(job) / "link").symlink_to(outside)
    linked = yard.job()
    (yard.root / "work" / f"aside-{linked.uuid}").mkdir()
    place = yard.place(linked)
    for path in sorted(place.rglob("*"), reverse=True):
        path.unlink() if path.is_file() else path.rmdir()
    place.rmdir()
    place.symlink_to(outside)
    yard.run()
    assert (outside / "keep").exists()
    assert [path.name for path in (yard.root / "work").iterdir()] == [f"aside-{linked.uuid}"]


def test_what_the_host_keeps_for_later_goes_too_unless_a_job_may_need_it(yard):
    inputs = yard.folder / "lanes/local-ada/inputs"
    old, new = inputs / "old", inputs / "new"
    for path in (old, new):
        path.mkdir(parents=True)
    # The host's own clock says how old a file is.
    os.utime(old, (1e9, 1e9))
    yard.busy.add(("local", "ada"))
    yard.job()
    yard.run()
    assert old.exists()
    yard.busy.clear()
    yard.job()
    yard.run()
    assert (old.exists(), new.exists()) == (False, True)


# --- hosts in trouble -------------------------------------------------------------------------
def test_jobs_of_a_host_that_is_away_stay_until_it_is_back(yard):
    here, there = yard.job(), yard.job(system="cluster")
    yard.away.add(("cluster", "ada"))
    done = yard.run()
    assert [gone.uuid for gone in done.jobs] == [here.uuid]
    assert done.kept == (there.uuid,)
    assert "cluster refuses connections" in [host.trouble for host in done.hosts][1]
    yard.away.clear()
    yard.run()
    assert yard.stored() == []
    assert not yard.place(there).exists()


def test_jobs_of_a_system_that_is_gone_are_forgotten_on_demand_only(yard):
    job = yard.job(system="cluster")
    yard.gone.add("cluster")
    assert yard.run().kept == (job.uuid,)
    done = yard.run(forget_unreachable=True)
    assert (done.kept, [gone.uuid for gone in done.jobs]) == ((), [job.uuid])
    assert yard.place(job).exists()
    assert "the system is gone" in done.hosts[0].trouble


def test_only_the_job_whose_folder_cannot_be_removed_stays(yard, monkeypatch):
    stuck, fine = yard.job(), yard.job()
    # A command that removes all but one folder, as a host with a file system read-only does.
    monkeypatch.setattr(
        module, "_REMOVE", f"f={yard.place(stuck)}; echo $f; rm -rf {yard.place(fine)}; : {{folders}}\n"
    )
    done = yard.run()
    assert done.kept == (stuck.uuid,)
    assert re.search(r"000001-007 cannot be removed there \(1 folders stay\)", done.hosts[0].trouble)
    assert yard.stored() == [stuck.uuid]


def test_an_engine_that_lost_the_store_touches_no_host(yard):
    job = yard.job()
    yard.database.write(lambda c: lease_row.acquire(c, "{}", NOW))
    with pytest.raises(lease_row.LeaseLostError):
        yard.run()
    assert yard.place(job).exists()


# --- what else is old -------------------------------------------------------------------------
def _upload(yard, letter, days=100):
    place = yard.folder / "store/uploads" / (letter * 2) / (letter * 64)
    place.mkdir(parents=True)
    (place / "mesh.msh").write_bytes(b"x" * 500)
    for path in (place / "mesh.msh", place):
        os.utime(path, (NOW - days * DAY,) * 2)
    return place, f'{{"sourceUrl": "tapis://local{place}/mesh.msh"}}'


def test_uploads_go_when_they_are_old_and_no_job_that_stays_needs_them(yard):
    unneeded, request = _upload(yard, "a")
    yard.job(request=request)
    shared, request = _upload(yard, "b")
    yard.job(request=request)
    yard.job(request=request, days=10)
    new, _ = _upload(yard, "c", days=1)
    strange = unneeded.parent / "notes.txt"
    strange.write_text("mine")
    told = yard.run(uploads=True, dry_run=True).uploads
    assert unneeded.exists()
    done = yard.run(uploads=True).uploads
    assert told == done
    assert (done.files, done.size) == (1, 500)
    assert [place.exists() for place in (unneeded, shared, new, strange)] == [False, True, True, True]


def test_uploads_stay_as_long_as_a_study_could_run_with_them_again(yard):
    place, request = _upload(yard, "f")
    other, template = _upload(yard, "9")
    study = Study(owner="ada", name="s", template=template, launch_mode="auto", created="", updated="")

    def store(conn):
        found = study_rows.add(conn, study)
        study_rows.add_cases(conn, found.id, [("c", "{}", request)])
        return found.id

    number = yard.database.write(store)
    assert yard.run(uploads=True).uploads.files == 0
    yard.database.write(lambda conn: study_rows.remove(conn, number))
    assert yard.run(uploads=True).uploads.files == 2
    assert not place.exists()
    assert not other.exists()


def test_uploads_of_today_stay_even_when_everything_is_purged(yard):
    place, _ = _upload(yard, "d", days=0.5)
    assert yard.run(uploads=True, before=iso(NOW)).uploads.files == 0
    assert place.exists()


def test_nobody_without_the_server_loses_its_uploads(yard):
    place, _ = _upload(yard, "e")
    yard.run()
    assert place.exists()


def test_tokens_that_ran_out_are_forgotten(yard):
    token = token_rows.Token(jti="a", user="ada", created=iso(NOW - DAY), expires=iso(NOW - 1))
    yard.database.write(lambda c: token_rows.add(c, token))
    yard.run()
    assert yard.rows("tokens") == [0]


# --- by itself --------------------------------------------------------------------------------
def test_the_retention_looks_once_a_day_and_takes_everybodys(yard):
    yard.job(owner="ada"), yard.job(owner="bob")
    young = yard.job(days=20)
    yard.naps = 2
    with pytest.raises(Stopped):
        asyncio.run(yard.purge.keep_house(30))
    assert yard.stored() == [young.uuid]
    assert yard.slept == [module.FIRST_LOOK, module.LOOK, module.LOOK]


def test_the_retention_takes_transfers_that_have_ended_and_postits_that_are_over(yard):
    old, young = iso(NOW - 40 * 86_400), iso(NOW - 20 * 86_400)

    def store(conn):
        for uuid, ended in (("old", old), ("young", young), ("moving", None)):
            element = Element(id=0, transfer_id=0, uuid=f"{uuid}-1", source="s", destination="d")
            transfers.add(
                conn,
                TransferTask(
                    id=0, uuid=uuid, owner="ada", tag=None, status=TransferStatus.ACCEPTED, error=None,
                    created=old, started=old, ended=ended, elements=(element,),
                ),
            )  # fmt: skip
        for name, expires in (("over", old), ("good", young), ("for ever", None)):
            postits.add(
                conn,
                PostItRow(
                    id=name, owner="ada", system_id="local", path="/", allowed_uses=1, times_used=0,
                    expires=expires, created=old, updated=old,
                ),
            )  # fmt: skip

    yard.database.write(store)
    yard.naps = 1
    with pytest.raises(Stopped):
        asyncio.run(yard.purge.keep_house(30))
    left = yard.database.read(lambda conn: transfers.recent(conn, "ada", 9, 0))
    assert [(task.uuid, len(task.elements)) for task in left] == [("moving", 1), ("young", 1)]
    kept = yard.database.read(lambda conn: postits.of_owner(conn, "ada"))
    assert {row.id for row in kept} == {"good", "for ever"}


def test_the_retention_goes_on_after_trouble_and_ends_with_the_lease(yard, caplog):
    yard.job(system="cluster")
    yard.away.add(("cluster", "ada"))
    yard.naps = 1
    with pytest.raises(Stopped):
        asyncio.run(yard.purge.keep_house(30))
    assert "cluster refuses connections" in caplog.text
    yard.database.write(lambda c: lease_row.acquire(c, "{}", NOW))
    yard.naps = 99
    asyncio.run(yard.purge.keep_house(30))

"""One engine per store."""

from __future__ import annotations

import pytest

from jupyter_tapis_jobs.store import lease
from jupyter_tapis_jobs.store.lease import LeaseLostError


def _take(database, holder, now):
    return database.write(lambda conn: lease.acquire(conn, holder, now))


def _check(database, epoch):
    return database.read(lambda conn: lease.check(conn, epoch))


def test_nobody_holds_a_new_store(database):
    assert database.read(lease.current) is None
    with pytest.raises(LeaseLostError):
        _check(database, 1)


def test_the_first_engine_gets_the_lease_and_a_second_does_not(database):
    mine = _take(database, "me", 1000.0)
    assert _check(database, mine.epoch) == mine
    assert _take(database, "you", 1029.9) is None
    assert database.read(lease.current) == mine


def test_a_dead_holders_lease_expires_after_30_seconds_and_its_epoch_is_refused(database):
    mine = _take(database, "me", 1000.0)
    yours = _take(database, "you", 1030.0)
    assert yours.epoch > mine.epoch
    with pytest.raises(LeaseLostError, match="you"):
        _check(database, mine.epoch)
    with pytest.raises(LeaseLostError):
        database.write(lambda conn: lease.renew(conn, mine.epoch, 1031.0))


def test_a_renewed_lease_runs_on_with_the_same_epoch(database):
    mine = _take(database, "me", 1000.0)
    renewed = database.write(lambda conn: lease.renew(conn, mine.epoch, 1020.0))
    assert renewed.epoch == mine.epoch
    assert _take(database, "you", 1049.0) is None


def test_a_holder_that_slept_keeps_its_lease_when_nobody_took_it(database):
    mine = _take(database, "me", 1000.0)
    assert database.write(lambda conn: lease.renew(conn, mine.epoch, 5000.0)).epoch == mine.epoch


def test_a_released_lease_is_free_at_once_and_epochs_go_on_growing(database):
    mine = _take(database, "me", 1000.0)
    database.write(lambda conn: lease.release(conn, mine.epoch))
    assert database.read(lease.current) is None
    assert _take(database, "you", 1000.0).epoch == mine.epoch + 1


def test_releasing_an_old_epoch_does_not_touch_the_new_holder(database):
    mine = _take(database, "me", 1000.0)
    yours = _take(database, "you", 1031.0)
    database.write(lambda conn: lease.release(conn, mine.epoch))
    assert database.read(lease.current) == yours


def test_a_second_life_of_the_same_holder_gets_a_new_epoch(database):
    first = _take(database, "me", 1000.0)
    assert _take(database, "me", 1001.0).epoch == first.epoch + 1

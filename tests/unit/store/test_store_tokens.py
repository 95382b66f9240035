"""Tokens that were given out, users who were here, small facts."""

from __future__ import annotations

from jupyter_tapis_jobs.store import settings, tokens
from jupyter_tapis_jobs.store.tokens import Token


def _token(jti, **fields):
    defaults = {"user": "train301", "created": "2026-01-01", "expires": "2026-06-01"}
    return Token(jti=jti, **(defaults | fields))


def test_a_token_that_was_taken_back_is_known_as_such(database):
    database.write(lambda conn: tokens.add(conn, _token("a")))
    assert database.read(lambda conn: tokens.is_revoked(conn, "a")) is False
    assert database.write(lambda conn: tokens.revoke(conn, "a", "2026-02-01")) is True
    assert database.write(lambda conn: tokens.revoke(conn, "a", "2026-03-01")) is False
    assert database.read(lambda conn: tokens.is_revoked(conn, "a")) is True
    assert database.read(lambda conn: tokens.get(conn, "a")).revoked == "2026-02-01"


def test_a_users_tokens_are_listed_newest_first_and_forgotten_when_they_ran_out(database):
    database.write(lambda conn: tokens.add(conn, _token("old", created="2025-01-01", expires="2025-06-01")))
    database.write(lambda conn: tokens.add(conn, _token("new")))
    database.write(lambda conn: tokens.add(conn, _token("theirs", user="other")))
    assert [t.jti for t in database.read(lambda conn: tokens.of_user(conn, "train301"))] == ["new", "old"]
    assert database.write(lambda conn: tokens.forget_expired(conn, "2026-01-01")) == 1
    assert database.read(lambda conn: tokens.get(conn, "old")) is None


def test_users_are_remembered_once(database):
    for time in ("2026-01-01", "2026-01-02"):
        database.write(lambda conn, time=time: tokens.seen(conn, "train301", time))
    assert database.read(tokens.all_users) == ["train301"]


def test_a_setting_is_the_last_one_put(database):
    assert database.read(lambda conn: settings.get(conn, "a")) is None
    for value in ("1", "2"):
        database.write(lambda conn, value=value: settings.put(conn, "a", value))
    assert database.read(lambda conn: settings.get(conn, "a")) == "2"

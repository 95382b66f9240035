"""The tokens of callbacks: one for each job, the same for ever, of a key that only its owner reads."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from jupyter_tapis_jobs.model.errors import StoreError
from jupyter_tapis_jobs.secrets.callback_tokens import CallbackTokens


def test_a_token_is_good_for_its_own_job_only_and_after_a_restart_too(tmp_path: Path) -> None:
    token = CallbackTokens(tmp_path / "keys").of("one")
    again = CallbackTokens(tmp_path / "keys")
    assert again.is_of("one", token)
    assert not again.is_of("other", token)
    assert not again.is_of("one", token[:-1])
    assert not again.is_of("one", "")
    assert not again.is_of("one", "\udcff é")


def test_two_servers_have_different_tokens(tmp_path: Path) -> None:
    assert CallbackTokens(tmp_path / "a").of("one") != CallbackTokens(tmp_path / "b").of("one")


def test_the_key_is_its_owners_alone(tmp_path: Path) -> None:
    CallbackTokens(tmp_path / "keys").of("one")
    assert stat.S_IMODE((tmp_path / "keys" / "callback.key").stat().st_mode) == 0o600


def test_a_damaged_key_is_told_with_the_way_out(tmp_path: Path) -> None:
    (tmp_path / "callback.key").write_bytes(b"short")
    with pytest.raises(StoreError, match=r"callback.key of the callbacks is damaged. Delete it"):
        CallbackTokens(tmp_path).of("one")

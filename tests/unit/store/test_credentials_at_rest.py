"""Credentials at rest: encrypted, with a key that lies where the system keeps secrets, else in a file."""

from __future__ import annotations

import stat
from concurrent.futures import ThreadPoolExecutor

import keyring.backends.fail
import keyring.backends.null
import keyring.core
import pytest
from cryptography.fernet import Fernet
from keyring.backend import KeyringBackend
from keyring.errors import KeyringLocked

from jupyter_tapis_jobs.model.errors import StoreError
from jupyter_tapis_jobs.secrets.credential_key import SERVICE, credential_key, system_keyring
from jupyter_tapis_jobs.secrets.credentials import Safe, Secrets
from jupyter_tapis_jobs.store import credentials as rows
from jupyter_tapis_jobs.store.credentials import CredentialRow

SECRET = Secrets(password="correct horse", private_key="-----BEGIN X", passphrase="battery staple")


class MemoryKeyring(KeyringBackend):
    """A keyring that remembers; ``locked`` as one before its owner has signed in."""

    priority = 1

    def __init__(self, *, locked=False):
        self.kept, self.locked = {}, locked

    def set_password(self, service, username, password):
        if self.locked:
            raise KeyringLocked
        self.kept[service, username] = password

    def get_password(self, service, username):
        if self.locked:
            raise KeyringLocked
        return self.kept.get((service, username))


def test_what_is_locked_is_unlocked_again_and_holds_nothing_readable(tmp_path):
    locked = Safe(tmp_path).lock(SECRET)
    assert "horse" not in locked
    assert "BEGIN" not in locked
    assert Safe(tmp_path).unlock(locked) == SECRET


def test_secrets_and_rows_show_nothing_of_themselves(tmp_path):
    row = CredentialRow(
        system_id="s", user="u", login_user=None, method="PASSWORD", secret="cipher", needs_code=0,
        created="", updated="",
    )  # fmt: skip
    assert repr(SECRET) == "Secrets()"
    assert "cipher" not in repr(row)


def test_without_a_keyring_the_key_is_a_file_for_its_owner_only(tmp_path):
    folder = tmp_path / "keys"
    key = credential_key(folder)
    assert credential_key(folder) == key == (folder / "credentials.key").read_bytes()
    assert stat.S_IMODE((folder / "credentials.key").stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_a_key_file_that_others_may_read_is_closed_again(tmp_path):
    credential_key(tmp_path)
    (tmp_path / "credentials.key").chmod(0o644)
    credential_key(tmp_path)
    assert stat.S_IMODE((tmp_path / "credentials.key").stat().st_mode) == 0o600


def test_two_who_make_the_key_at_once_get_the_same_one(tmp_path):
    with ThreadPoolExecutor(4) as pool:
        assert len(set(pool.map(lambda _: credential_key(tmp_path), range(4)))) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["credentials.key"]


def test_a_keyring_keeps_the_key_and_the_folder_only_its_name(tmp_path):
    ring = MemoryKeyring()
    key = credential_key(tmp_path, ring)
    assert credential_key(tmp_path, ring) == key
    name = (tmp_path / "credentials.name").read_text()
    assert ring.kept == {(SERVICE, name): key.decode()}
    assert [path.name for path in tmp_path.iterdir()] == ["credentials.name"]


def test_a_locked_keyring_gives_a_key_file_at_first_and_a_sentence_later(tmp_path):
    credential_key(tmp_path / "new", MemoryKeyring(locked=True))
    assert (tmp_path / "new" / "credentials.key").exists()
    ring = MemoryKeyring()
    credential_key(tmp_path / "old", ring)
    ring.locked = True
    with pytest.raises(StoreError, match="Unlock it and try again"):
        credential_key(tmp_path / "old", ring)


@pytest.mark.parametrize("ring", [keyring.backends.fail.Keyring(), keyring.backends.null.Keyring()])
def test_keyrings_that_keep_nothing_are_not_used(monkeypatch, ring):
    monkeypatch.setattr(keyring.core, "get_keyring", lambda: ring)
    assert system_keyring() is None


def test_a_real_keyring_is_found_behind_a_chain_of_others(monkeypatch):
    class Chain:
        backends = (MemoryKeyring(), type("Keyring", (), {"__module__": "keyring.backends.SecretService"})())

    monkeypatch.setattr(keyring.core, "get_keyring", Chain)
    assert system_keyring() is Chain.backends[1]


def test_a_damaged_key_file_says_what_to_do(tmp_path):
    (tmp_path / "credentials.key").write_text("garbage")
    with pytest.raises(StoreError, match="is damaged"):
        credential_key(tmp_path)


def test_another_key_does_not_open_what_was_locked_before(tmp_path):
    locked = Safe(tmp_path, lambda _: Fernet.generate_key()).lock(SECRET)
    with pytest.raises(StoreError, match="Give the credential again"):
        Safe(tmp_path).unlock(locked)


def test_a_users_new_credential_takes_the_place_of_the_old_one(database):
    def row(user, secret, when):
        return CredentialRow(
            system_id="login1", user=user, login_user="train301", method="PASSWORD", secret=secret,
            needs_code=0, created=when, updated=when,
        )  # fmt: skip

    def work(conn):
        for new in (row("ada", "one", "1"), row("bob", "two", "1"), row("ada", "three", "2")):
            rows.put(conn, new)
        rows.note_code(conn, "login1", "ada")
        return (
            rows.get(conn, "login1", "ada"),
            rows.remove(conn, "login1", "ada"),
            rows.get(conn, "login1", "bob"),
        )

    ada, removed, bob = database.write(work)
    assert (ada.secret, ada.created, ada.updated, ada.needs_code) == ("three", "1", "2", 1)
    assert removed == 1
    assert bob.secret == "two"

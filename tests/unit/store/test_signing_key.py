"""The key that signs tokens."""

from __future__ import annotations

import stat
from concurrent.futures import ThreadPoolExecutor

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from jupyter_tapis_jobs.model.errors import StoreError
from jupyter_tapis_jobs.secrets.keys import public_pem, signing_key


def test_the_key_is_made_once_and_is_for_its_owner_only(tmp_path):
    folder = tmp_path / "keys"
    first = public_pem(signing_key(folder))
    assert public_pem(signing_key(folder)) == first
    assert first.startswith("-----BEGIN PUBLIC KEY-----")
    assert stat.S_IMODE((folder / "signing.pem").stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_two_who_make_it_at_once_get_the_same_key_and_leave_nothing_behind(tmp_path):
    with ThreadPoolExecutor(4) as pool:
        keys = set(pool.map(lambda _: public_pem(signing_key(tmp_path)), range(4)))
    assert len(keys) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["signing.pem"]


def test_a_key_that_others_may_read_is_closed_again(tmp_path):
    signing_key(tmp_path)
    (tmp_path / "signing.pem").chmod(0o644)
    signing_key(tmp_path)
    assert stat.S_IMODE((tmp_path / "signing.pem").stat().st_mode) == 0o600


def _other_kind() -> bytes:
    return Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


@pytest.mark.parametrize("content", [b"", b"garbage", _other_kind()], ids=["empty", "garbage", "other kind"])
def test_a_damaged_key_says_what_to_do(tmp_path, content):
    (tmp_path / "signing.pem").write_bytes(content)
    with pytest.raises(StoreError, match=r"damaged or no RSA key\. Delete it"):
        signing_key(tmp_path)


def test_a_folder_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match=r"cannot be used: Not a directory|cannot be used: File exists"):
        signing_key(tmp_path / "file")

"""What is given to reach a host: a credential of Tapis Systems, or a whole new host.

Secrets show nothing of themselves; what is wrong with them is told without their value.
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field, Strict

from .fields import Flag, RequestModel

#: The text of a secret; its fields are not shown.
Hidden = Annotated[str, Strict(), Field(max_length=65_536)]
Fingerprint = Annotated[str, Field(pattern=r"^SHA256:[A-Za-z0-9+/]{43}=?$")]
Code = Annotated[str, Strict(), Field(max_length=256)]


class NewCredential(RequestModel):
    """A credential (Tapis Systems, "Credentials"); ``passphrase``, ``code`` and ``trust`` are ours."""

    login_user: str | None = Field(None, min_length=1, max_length=60, description="The name on the host.")
    password: Hidden | None = Field(None, repr=False)
    private_key: Hidden | None = Field(None, repr=False, description="PEM or OpenSSH text.")
    public_key: Hidden | None = Field(None, repr=False)
    passphrase: Hidden | None = Field(None, repr=False, description="Opens the private key.")
    code: Code | None = Field(None, repr=False, description="A one-time code, used once and not kept.")
    trust: Fingerprint | None = Field(None, description="The fingerprint of the host's key: SHA256:…")
    authn_method: str | None = None
    access_key: Hidden | None = Field(None, repr=False)
    access_secret: Hidden | None = Field(None, repr=False)
    access_token: Hidden | None = Field(None, repr=False)
    refresh_token: Hidden | None = Field(None, repr=False)
    certificate: Hidden | None = Field(None, repr=False)
    tms_private_key: Hidden | None = Field(None, repr=False)
    tms_public_key: Hidden | None = Field(None, repr=False)
    tms_fingerprint: Hidden | None = Field(None, repr=False)


class NewHost(RequestModel):
    """A host to be looked at and registered as a system."""

    id: str = Field(min_length=1, max_length=80, pattern=r"^[A-Za-z0-9][A-Za-z0-9\-._~]*$")
    host: str = Field(min_length=1, max_length=256, description="Name, address, or a Host of ~/.ssh/config.")
    port: Annotated[int, Strict(), Field(ge=1, le=65535)] | None = Field(None, description="Default: 22.")
    user: str | None = Field(None, min_length=1, max_length=60, description="Default: your name here.")
    password: Hidden | None = Field(None, repr=False)
    private_key: Hidden | None = Field(None, repr=False, description="PEM or OpenSSH text.")
    passphrase: Hidden | None = Field(None, repr=False)
    key_file: str | None = Field(
        None, max_length=4096, description="A key on the server's machine, for its own user."
    )
    code: Code | None = Field(None, repr=False, description="A one-time code, used once and not kept.")
    root_dir: str = Field("/", min_length=1, max_length=4096)
    job_working_dir: str | None = Field(None, max_length=4096, description="Default: below $SCRATCH or home.")
    trust: Fingerprint | None = Field(None, description="The fingerprint of the host's key: SHA256:…")
    known_hosts: str | None = Field(
        None, max_length=1_000_000, description="Lines of a known_hosts file; the server's user: or its path."
    )
    dask: dict[str, Any] | None = Field(
        None, description="Its jobs go to Dask, which is found as this says (notes.dask)."
    )
    replace: Flag = Field(False, description="Take the place of a system of that id that is there.")


class HostCheck(RequestModel):
    """What a host may ask for when it is tried again."""

    code: Code | None = Field(None, repr=False, description="A one-time code, used once and not kept.")
    trust: Fingerprint | None = Field(None, description="The fingerprint of the host's new key: SHA256:…")

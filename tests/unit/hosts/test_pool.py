"""One transport per lane; whose keys, agent and configuration a lane may use."""

from __future__ import annotations

import asyncio

import pytest
from sqlalchemy import text

from jupyter_tapis_jobs.engine.systems import LOCAL
from jupyter_tapis_jobs.model.errors import HostSignInError, InvalidInputError
from jupyter_tapis_jobs.secrets.credentials import Secrets
from jupyter_tapis_jobs.transports.local import LocalTransport

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIC8J1p+94Sd3ZL3von7f25IDpneCottmE4QuseWzPXHm"


async def test_a_lane_has_one_transport_however_many_ask_for_it(hosts, add_system, add_credential, owner):
    add_system("one")
    add_system("two")
    for name in ("one", "two"):
        add_credential(name, owner.name)
    first, again = await asyncio.gather(*(hosts.transport("one", owner.name) for _ in range(2)))
    assert first is again
    # Two systems share nothing, though they are one host.
    assert await hosts.transport("two", owner.name) is not first


async def test_this_machine_needs_no_credential(hosts, owner):
    assert isinstance(await hosts.transport(LOCAL, owner.name), LocalTransport)


async def test_without_a_credential_the_way_out_is_told(hosts, add_system, owner):
    add_system("one")
    with pytest.raises(HostSignInError, match=r"train301 has no credential for system one\. Give one with"):
        await hosts.transport("one", owner.name)


async def test_what_is_no_host_is_not_reached(hosts, add_system, owner):
    add_system("bucket", systemType="S3", bucketName="b", rootDir=None)
    with pytest.raises(InvalidInputError, match="S3, which is not supported by this server"):
        await hosts.transport("bucket", owner.name)


async def test_a_new_credential_gives_a_new_transport_to_its_lane_only(
    hosts, add_system, add_credential, owner, other
):
    add_system("one")
    for user in (owner, other):
        add_credential("one", user.name)
    mine, theirs = [await hosts.transport("one", user.name) for user in (owner, other)]
    await hosts.forget("one", owner.name)
    assert await hosts.transport("one", owner.name) is not mine
    assert await hosts.transport("one", other.name) is theirs


async def test_what_was_read_before_a_change_is_not_believed_after_it(
    hosts, add_system, add_credential, owner
):
    add_system("one")
    add_credential("one", owner.name, Secrets(password="old"))
    asking = asyncio.ensure_future(hosts.door("one", owner.name))
    await asyncio.sleep(0)
    add_credential("one", owner.name, Secrets(password="new"))
    await hosts.forget("one")
    assert (await asking).access.way.sign_in.password == "new"


async def test_a_lane_that_needs_codes_has_one_connection(hosts, add_system, add_credential, owner):
    add_system("one")
    add_credential("one", owner.name, needs_code=1)
    assert (await hosts.door("one", owner.name)).access.way.shared


# --- whose ~/.ssh -----------------------------------------------------------------------------
def stored(hosts, name, user):
    return hosts.stored(name, user)[0]


def test_the_server_users_own_lane_may_use_agent_and_configuration(hosts, add_system, add_credential, owner):
    add_system("one")
    add_credential("one", owner.name, Secrets(), login_user="train-there")
    way = stored(hosts, "one", owner.name)
    assert way.address.use_config
    assert way.address.user == "train-there"
    assert way.sign_in.use_agent
    assert way.keys.known_hosts is not None


def test_nobody_elses_lane_does_even_where_a_credential_is_empty(hosts, add_system, add_credential, other):
    add_system("one")
    add_credential("one", other.name, Secrets(key_file="/etc/hostname"))
    way = stored(hosts, "one", other.name)
    assert not way.address.use_config
    assert not way.sign_in.use_agent
    assert way.sign_in.key_files == ()
    assert way.keys.known_hosts is None


def test_a_system_of_another_user_with_the_server_users_name_is_still_theirs(
    hosts, add_system, add_credential, owner, other
):
    add_system("trap", other, effectiveUserId=owner.name)
    add_credential("trap", owner.name, Secrets())
    way = stored(hosts, "trap", owner.name)
    assert not way.address.use_config
    assert not way.sign_in.use_agent


def test_a_given_password_is_all_that_is_tried(hosts, add_system, add_credential, owner):
    add_system("one")
    add_credential("one", owner.name)
    sign_in = stored(hosts, "one", owner.name).sign_in
    assert (sign_in.password, sign_in.use_agent, sign_in.key_files) == ("correct horse", False, ())
    assert "correct horse" not in repr(stored(hosts, "one", owner.name))


# --- host keys --------------------------------------------------------------------------------
def test_a_pinned_key_counts_for_the_address_that_showed_it(
    hosts, systems, add_system, add_credential, owner
):
    add_system("one")
    add_credential("one", owner.name, key=KEY)
    assert stored(hosts, "one", owner.name).keys.pinned == (KEY,)
    systems.patch(owner, "one", {"host": "login2.example.org"})
    assert stored(hosts, "one", owner.name).keys.pinned == ()


def test_a_first_key_is_accepted_only_where_the_policy_says_so(hosts, add_system, add_credential, owner):
    add_system("one")
    add_credential("one", owner.name)
    assert not stored(hosts, "one", owner.name).keys.accept_new
    hosts.accept_new = True
    assert stored(hosts, "one", owner.name).keys.accept_new
    add_credential("one", owner.name, key=KEY)
    assert not stored(hosts, "one", owner.name).keys.accept_new


# --- what is stored ---------------------------------------------------------------------------
def test_the_store_holds_no_secret_in_the_open(database, add_system, add_credential, owner):
    add_system("one", authnCredential={"password": "correct horse"})
    add_credential("one", owner.name)
    rows = database.read(
        lambda conn: [
            tuple(row)
            for table in ("credentials", "systems", "catalog_history")
            for row in conn.execute(text(f"SELECT * FROM {table}"))  # noqa: S608 - names of our own
        ]
    )
    assert rows
    assert "correct horse" not in repr(rows)


def test_a_mistake_beside_a_credential_does_not_show_it(systems, add_system, owner):
    with pytest.raises(InvalidInputError) as caught:
        add_system("one", authnCredential="correct horse", canExec="perhaps")
    assert "correct horse" not in caught.value.message
    for change in (systems.patch, systems.put):
        add_system(f"by-{change.__name__}")
        with pytest.raises(InvalidInputError) as caught:
            change(owner, f"by-{change.__name__}", {"authnCredential": "correct horse", "port": "x"})
        assert "correct horse" not in caught.value.message

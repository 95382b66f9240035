"""What tapipy uses of Authenticator, Tokens and Tenants beside the first sign-in."""

from __future__ import annotations

import getpass

import pytest
from tapipy_user import sign_in
from tapis_specs import SIGN_IN, faults_of, operations

pytestmark = pytest.mark.needs("tapipy")

ME = getpass.getuser()


@pytest.fixture
def tapis(server):
    """A sign-in of its own: tokens are used up here."""
    return sign_in(server.url, server.token)


@pytest.fixture
def errors():
    from tapipy import errors

    return errors


def refreshed(tapis, token):
    """Ask Authenticator for new tokens."""
    return tapis.authenticator.create_token(grant_type="refresh_token", refresh_token=token)


def works(tapis, token):
    from tapipy.tapis import Tapis

    return isinstance(
        Tapis(base_url=tapis.base_url, access_token=token).jobs.getJobList(limit=1), list
    )  # fmt: skip


def test_a_refresh_token_gives_new_tokens_once(tapis, errors):
    old = tapis.refresh_token.refresh_token
    new = refreshed(tapis, old)
    assert works(tapis, new.access_token.access_token)
    with pytest.raises(errors.UnauthorizedError, match="was used or revoked"):
        refreshed(tapis, old)
    assert refreshed(tapis, new.refresh_token.refresh_token).access_token.expires_in > 0


def test_tapipy_refreshes_by_itself(server):
    from tapipy.tapis import Tapis

    tapis = Tapis(
        base_url=server.url.rstrip("/") + "/tapis",
        username=ME,
        password=server.token,
        client_id="any",
        client_key="any",
    )
    tapis.get_tokens()
    before = tapis.access_token.access_token
    tapis.refresh_tokens()
    assert tapis.access_token.access_token != before
    assert isinstance(tapis.jobs.getJobList(limit=1), list)


def test_the_tokens_service_refreshes_too(tapis):
    new = tapis.tokens.refresh_token(refresh_token=tapis.refresh_token.refresh_token)
    assert works(tapis, new.access_token.access_token)


def test_a_refresh_token_is_no_sign_in(tapis, errors):
    from tapipy.tapis import Tapis

    token = tapis.refresh_token.refresh_token
    with pytest.raises(errors.UnauthorizedError, match="no access token"):
        Tapis(base_url=tapis.base_url, access_token=token).jobs.getJobList()
    with pytest.raises(errors.UnauthorizedError, match="no refresh token"):
        refreshed(tapis, tapis.access_token.access_token)


@pytest.mark.parametrize("service", ["authenticator", "tokens"])
def test_a_revoked_token_is_no_more_good(tapis, errors, service):
    refresh = tapis.refresh_token.refresh_token
    getattr(tapis, service).revoke_token(token=refresh)
    with pytest.raises(errors.UnauthorizedError, match="used or revoked"):
        refreshed(tapis, refresh)
    getattr(tapis, service).revoke_token(token=tapis.access_token.access_token)
    with pytest.raises(errors.UnauthorizedError, match="revoked"):
        tapis.jobs.getJobList()


def test_a_grant_without_its_token_is_told_what_it_needs(tapis, errors):
    with pytest.raises(errors.BadRequestError, match="refresh_token needs refresh_token"):
        tapis.authenticator.create_token(grant_type="refresh_token")


#: Operation -> its arguments, and who is told about.
_ASKED = {
    "authenticator.get_userinfo": ({}, ("username", ME)),
    "authenticator.get_profile": ({"username": ME}, ("username", ME)),
    "authenticator.list_profiles": ({"limit": 10}, ("username", ME)),
    "tenants.list_sites": ({"limit": 10}, ("site_id", "jupyter")),
    "tenants.get_site": ({"site_id": "jupyter"}, ("site_id", "jupyter")),
    "tenants.list_tenants": ({"limit": 10}, ("tenant_id", "jupyter")),
    "tenants.get_tenant": ({"tenant_id": "jupyter"}, ("tenant_id", "jupyter")),
    "authenticator.hello": ({}, None),
    "authenticator.ready": ({}, None),
    "tokens.hello": ({}, None),
    "tokens.ready": ({}, None),
}


@pytest.mark.parametrize("key", _ASKED)
def test_people_tenants_and_sites_are_told_as_the_specification_says(tapis, key):
    given, told = _ASKED[key]
    operation = operations(SIGN_IN)[key]
    _, debug = getattr(getattr(tapis, operation.service), operation.name)(**given, _tapis_debug=True)
    answer = debug.response.json()
    assert faults_of(answer, operation.answer_schema) == []
    if told:
        rows = answer["result"] if isinstance(answer["result"], list) else [answer["result"]]
        assert told[1] in [row[told[0]] for row in rows]


@pytest.mark.parametrize(
    ("key", "given"), [("get_site", {"site_id": "tacc"}), ("get_tenant", {"tenant_id": "tacc"})]
)
def test_another_tenant_or_site_is_not_here(tapis, errors, key, given):
    with pytest.raises(errors.NotFoundError, match="this server's is jupyter"):
        getattr(tapis.tenants, key)(**given)

"""Signing in to a tenant: a password gets tokens whenever they are needed, a lone token tells its end."""

import base64
import json

import pytest

from jupyter_tapis_jobs.client.endpoint import Endpoint, sign_in
from jupyter_tapis_jobs.client.signing import SignIn
from jupyter_tapis_jobs.model.errors import NotSignedInError

URL = "https://tacc.example.org"
HOUR = 3600.0


def jwt(**claims):
    part = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    return f"eyJhbGciOiJSUzI1NiJ9.{part}.c2lnbmVk"


class Tenant:
    """Gives tokens that are good for an hour, by a clock that the test turns."""

    def __init__(self, **endpoint):
        self.now = 1_000_000.0
        self.asked = []
        self.signing = SignIn(Endpoint(url=URL, **endpoint), self.give, lambda: self.now)

    def give(self, body):
        self.asked.append(dict(body))
        # Asking for the token is a call of its own, which needs no sign-in.
        assert self.signing.headers() == {}
        return {"access_token": {"access_token": jwt(exp=self.now + HOUR)}}


def test_a_password_is_asked_for_a_token_at_the_first_call_only():
    tenant = Tenant(password_grant=("me", "secret"))
    first = tenant.signing.headers()
    assert first == tenant.signing.headers() == {"X-Tapis-Token": jwt(exp=tenant.now + HOUR)}
    assert tenant.asked == [{"username": "me", "password": "secret", "grant_type": "password"}]


def test_shortly_before_a_token_runs_out_the_password_gets_the_next():
    tenant = Tenant(password_grant=("me", "secret"))
    first = tenant.signing.headers()
    tenant.now += HOUR - 31
    assert tenant.signing.headers() == first
    tenant.now += 2
    assert tenant.signing.headers() != first
    assert len(tenant.asked) == 2


def test_a_refusal_to_sign_in_is_no_end():
    tenant = Tenant(password_grant=("me", "secret"))
    give, tenant.signing._ask = tenant.give, lambda body: (_ for _ in ()).throw(NotSignedInError("busy"))
    with pytest.raises(NotSignedInError):
        tenant.signing.headers()
    tenant.signing._ask = give
    assert tenant.signing.headers()


def test_a_token_that_has_run_out_says_since_when_and_the_way_out():
    tenant = Tenant(headers=sign_in(jwt(exp=1_000_000.0 - 7200)))
    told = tenant.signing.explained(NotSignedInError("401"))
    assert told.code == "JOBS_TOKEN_EXPIRED"
    assert told.message.startswith(f"The token for {URL} expired 2 h 00 min ago (1970-01-12 11:46 UTC).")
    assert "username= and password=" in told.message


@pytest.mark.parametrize("token", [jwt(exp=1_000_000.0 + 1), jwt(sub="me"), "opaque", "eyJ.e.e"])
def test_any_other_refusal_is_told_as_it_came(token):
    refused = NotSignedInError("401")
    assert Tenant(headers=sign_in(token)).signing.explained(refused) is refused

"""Ways to sign in, and what they allow."""

from __future__ import annotations

import getpass
from typing import Any

import httpx
import jwt
import pytest
from people import Api, Who, message, result

from jupyter_tapis_jobs.server.identity import TOKEN_HEADER

ME = getpass.getuser()


def tokens(api: Api, **body: Any) -> httpx.Response:
    """Ask for a token."""
    return api.call("POST", "/v3/oauth2/tokens", Who.NOBODY, json={"grant_type": "password", **body})


def test_name_and_jupyters_token_give_a_token_in_tapis_form(api, server):
    given = result(tokens(api, username=ME, password=server.token))["access_token"]
    claims = jwt.decode(given["access_token"], options={"verify_signature": False})
    assert jwt.get_unverified_header(given["access_token"])["alg"] == "RS256"
    assert isinstance(claims["exp"], int)
    assert given["expires_in"] == 365 * 24 * 3600
    assert claims["sub"] == f"{ME}@jupyter"
    assert claims["tapis/tenant_id"] == "jupyter"
    assert claims["tapis/username"] == ME
    assert claims["tapis/token_type"] == "access"
    assert claims["tapis/account_type"] == "user"
    assert claims["tapis/delegation"] is False
    assert claims["jti"] == given["jti"]


def test_the_tenants_public_key_checks_the_token(api):
    (tenant,) = api.get("/v3/tenants", Who.NOBODY)
    claims = jwt.decode(api.tokens[Who.OWNER], tenant["public_key"], algorithms=["RS256"])
    assert claims["tapis/username"] == ME


def test_the_form_of_oauth_2_is_taken_too(api, server):
    form = {"username": ME, "password": server.token, "grant_type": "password"}
    assert result(api.call("POST", "/v3/oauth2/tokens", Who.NOBODY, data=form))["access_token"]


@pytest.mark.parametrize("wrong", [{"username": "mallory"}, {"password": "wrong"}, {"password": ""}])
def test_a_wrong_name_or_password_gives_none(api, server, wrong):
    answer = tokens(api, **{"username": ME, "password": server.token, **wrong})
    assert answer.status_code == 401
    assert "Name or password is wrong" in message(answer)


def test_another_grant_is_refused_with_the_one_there_is(api, server):
    answer = tokens(api, username=ME, password=server.token, grant_type="implicit")
    assert answer.status_code == 400
    assert "'password'" in message(answer)


def test_a_password_is_never_given_back(api):
    answer = tokens(api, username=ME, password=["very secret"])
    assert answer.status_code == 400
    assert "very secret" not in answer.text


def test_jupyters_token_acts_as_the_servers_user(api, server):
    headers = {"Authorization": f"token {server.token}"}
    for _ in range(2):
        shown = result(api.call("GET", "/v3/tapisjobs/server", Who.NOBODY, headers=headers))
        assert (shown["user"], shown["isServerUser"]) == (ME, True)


def test_jupyters_token_may_stand_in_the_query(api, server):
    assert api.get("/v3/jobs/list", Who.NOBODY, token=server.token) is not None


def test_a_wrong_tapis_token_is_not_saved_by_a_good_jupyter_token(api, server):
    headers = {"Authorization": f"token {server.token}"}
    assert api.call("GET", "/v3/jobs/list", Who.WRONG, headers=headers).status_code == 401


def test_a_revoked_token_is_worth_nothing(api, server):
    given = result(tokens(api, username=ME, password=server.token))["access_token"]["access_token"]
    headers = {TOKEN_HEADER: given}
    assert api.call("GET", "/v3/jobs/list", Who.NOBODY, headers=headers).status_code == 200
    api.post("/v3/oauth2/tokens/revoke", {"token": given})
    refused = api.call("GET", "/v3/jobs/list", Who.NOBODY, headers=headers)
    assert refused.status_code == 401
    assert "revoked" in message(refused)
    assert result(api.call("POST", "/v3/oauth2/tokens/revoke", json={"token": given}))["message"]


def test_one_user_cannot_revoke_the_token_of_another(api):
    body = {"token": api.tokens[Who.OWNER]}
    assert api.call("POST", "/v3/oauth2/tokens/revoke", Who.OTHER, json=body).status_code == 403
    assert api.get("/v3/oauth2/userinfo")["username"] == ME


@pytest.mark.parametrize(
    "forge",
    [
        lambda claims, key: jwt.encode(claims, None, algorithm="none"),
        lambda claims, key: jwt.encode({**claims, "jti": "x"}, "k" * 32, algorithm="HS256"),
        lambda claims, key: "not-a-token",
        lambda claims, key: "a.b.c",
        lambda claims, key: "",
    ],
)
def test_a_token_that_somebody_else_made_is_refused(api, forge):
    (tenant,) = api.get("/v3/tenants", Who.NOBODY)
    claims = jwt.decode(api.tokens[Who.OWNER], options={"verify_signature": False})
    forged = forge(claims, tenant["public_key"])
    answer = api.call("GET", "/v3/jobs/list", Who.NOBODY, headers={TOKEN_HEADER: forged})
    assert answer.status_code == 401


class Browser:
    """A browser: it keeps cookies and follows no redirect."""

    def __init__(self, url: str, token: str) -> None:
        self.client = httpx.Client(base_url=url, trust_env=False, timeout=180)
        self.client.get("/login").raise_for_status()
        form = {"_xsrf": self.xsrf, "password": token}
        assert self.client.post("/login", data=form).status_code == 302

    @property
    def xsrf(self) -> str:
        return next(cookie.value or "" for cookie in self.client.cookies.jar if cookie.name == "_xsrf")


@pytest.fixture
def browser(server):
    opened = Browser(server.url.rstrip("/"), server.token)
    yield opened
    opened.client.close()


def test_the_browsers_cookie_reads_as_the_servers_user(browser):
    assert result(browser.client.get("/tapis/v3/oauth2/userinfo"))["username"] == ME


def test_the_browsers_cookie_changes_nothing_without_the_xsrf_token(browser):
    answer = browser.client.post("/tapis/v3/jobs/submit", json={})
    assert answer.status_code == 403
    assert answer.headers["Content-Type"] == "application/json"
    assert "X-XSRFToken" in message(answer)


def test_the_browsers_cookie_with_the_xsrf_token_may_do_everything(browser):
    answer = browser.client.post("/tapis/v3/jobs/submit", json={}, headers={"X-XSRFToken": browser.xsrf})
    assert answer.status_code == 400
    assert "name" in message(answer)


def test_a_cookie_from_another_site_does_not_act(browser):
    headers = {"X-XSRFToken": browser.xsrf, "Origin": "http://evil.example.org"}
    assert browser.client.post("/tapis/v3/jobs/submit", json={}, headers=headers).status_code == 403


def test_a_host_name_that_is_not_ours_is_refused(api):
    answer = api.call("GET", "/v3/tenants", headers={"Host": "evil.example.org"})
    assert answer.status_code == 403
    assert answer.headers["Content-Type"] == "application/json"


@pytest.mark.parametrize("end", ["", "/", "//"])
def test_the_tenants_base_url_is_what_the_caller_wrote(server, end):
    for host in ("127.0.0.1", "localhost"):
        base = server.url.rstrip("/").replace("127.0.0.1", host) + "/tapis" + end
        (tenant,) = result(httpx.get(base + "/v3/tenants", trust_env=False, timeout=180))
        assert tenant["base_url"] == base


def test_the_tenants_base_url_has_the_scheme_of_the_proxy_before_us(api):
    answer = api.call("GET", "/v3/tenants", headers={"X-Forwarded-Proto": "https"})
    assert result(answer)[0]["base_url"] == api.base.replace("http://", "https://")


def test_below_a_hubs_prefix_everything_is_the_same(serve, open_api):
    with serve("--ServerApp.base_url=/user/x%40y/") as server:
        api = open_api(server)
        assert api.base.endswith("/user/x%40y/tapis")
        assert api.get("/v3/tenants")[0]["base_url"] == api.base
        assert api.get("/v3/systems/local")["id"] == "local"
        assert api.call("GET", "/v3/nothing").json()["status"] == "error"


def test_a_server_with_a_password_gives_tokens_for_it_and_kernels_a_way_in(serve, tmp_path):
    from jupyter_server.auth import passwd

    options = (f"--PasswordIdentityProvider.hashed_password={passwd('sesame')}", "--IdentityProvider.token=")
    with serve(*options) as server:
        base = server.url.rstrip("/") + "/tapis"
        good = {"username": ME, "password": "sesame"}
        given = result(httpx.post(f"{base}/v3/oauth2/tokens", json=good, trust_env=False, timeout=180))
        headers = {TOKEN_HEADER: given["access_token"]["access_token"]}
        assert (
            httpx.get(f"{base}/v3/jobs/list", headers=headers, trust_env=False, timeout=180).status_code
            == 200
        )
        bad = {"username": ME, "password": ""}
        assert (
            httpx.post(f"{base}/v3/oauth2/tokens", json=bad, trust_env=False, timeout=180).status_code == 401
        )


def test_a_server_without_token_and_password_says_that_nobody_can_sign_in_by_name(serve):
    with serve("--IdentityProvider.token=", "--PasswordIdentityProvider.hashed_password=") as server:
        base = server.url.rstrip("/") + "/tapis"
        answer = httpx.post(
            f"{base}/v3/oauth2/tokens", json={"username": ME, "password": ""}, trust_env=False
        )
        assert answer.status_code == 401
        assert "neither a token nor a password" in message(answer)
        assert result(httpx.get(f"{base}/v3/oauth2/userinfo", trust_env=False, timeout=180))["username"] == ME

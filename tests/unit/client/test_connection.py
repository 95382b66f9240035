"""One connection: errors in the server's words, safe calls again, a submit never twice."""

import httpx
import pytest
from fake_tapis import URL, FakeTapis, error, result

from jupyter_tapis_jobs.client.connection import Connection
from jupyter_tapis_jobs.client.endpoint import Endpoint
from jupyter_tapis_jobs.model import errors


def connection(answer, **options):
    transport = httpx.MockTransport(answer)
    endpoint = options.pop("endpoint", Endpoint(url=URL, headers={"X-Tapis-Token": "t"}))
    return Connection(endpoint, transport=transport, sleep=lambda seconds: None)


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (400, errors.InvalidInputError),
        (401, errors.NotSignedInError),
        (403, errors.NotAllowedError),
        (404, errors.NotFoundError),
        (409, errors.ConflictError),
        (413, errors.TooLargeError),
        (500, errors.TapisJobsError),
        (503, errors.UnavailableError),
    ],
)
def test_an_answer_becomes_the_error_of_its_code_with_the_servers_sentence(code, kind):
    calls = connection(lambda request: error(code, "JOBS_SAYS_NO queue 'larg' is not on frontera."))
    with pytest.raises(kind) as caught:
        calls.get("/v3/jobs/list")
    assert type(caught.value) is kind
    assert caught.value.message == "queue 'larg' is not on frontera."
    assert caught.value.code == "JOBS_SAYS_NO"


def test_a_page_that_is_not_tapis_is_named_as_such():
    calls = connection(lambda request: httpx.Response(200, html="<h1>Welcome</h1>"))
    with pytest.raises(errors.TapisJobsError, match="Is this the address of a Tapis API"):
        calls.get("/v3/jobs/list")


def test_a_redirect_to_a_login_page_is_not_followed():
    calls = connection(lambda request: httpx.Response(302, headers={"location": "/login"}))
    with pytest.raises(errors.NotSignedInError, match="token is missing or wrong"):
        calls.post("/v3/jobs/submit", {})


def test_a_safe_call_is_tried_again_when_the_trouble_passes():
    answers = [error(503), httpx.Response(502), result([1])]
    calls = connection(lambda request: answers.pop(0))
    assert calls.get("/v3/jobs/list") == [1]


def test_a_submit_whose_answer_is_lost_is_sent_once_and_says_that_it_may_have_been_accepted():
    sent = []

    def answer(request):
        sent.append(request)
        raise httpx.ReadError("gone", request=request)

    with pytest.raises(errors.UnavailableError, match="may have been accepted"):
        connection(answer).post("/v3/jobs/submit", {"name": "x"})
    assert len(sent) == 1


def test_a_submit_that_the_server_could_not_take_now_is_not_repeated():
    sent = []

    def answer(request):
        sent.append(request)
        return error(503, "busy")

    with pytest.raises(errors.UnavailableError, match="busy"):
        connection(answer).post("/v3/jobs/submit", {})
    assert len(sent) == 1


def test_no_server_is_said_with_its_address():
    def refused(request):
        raise httpx.ConnectError("refused", request=request)

    with pytest.raises(errors.UnavailableError, match=f"Nothing answers at {URL}"):
        connection(refused).get("/v3/jobs/list")


def test_name_and_password_are_changed_for_a_token_once():
    jwt = "eyJhbGciOiJub25lIn0.e30.x"
    seen = []

    def answer(request):
        seen.append((request.url.path, request.headers.get("X-Tapis-Token")))
        return result({"access_token": {"access_token": jwt}} if "oauth2" in request.url.path else [])

    calls = connection(answer, endpoint=Endpoint(url=URL, password_grant=("me", "secret")))
    calls.get("/v3/jobs/list")
    calls.get("/v3/jobs/list")
    assert seen == [("/tapis/v3/oauth2/tokens", None), *[("/tapis/v3/jobs/list", jwt)] * 2]


def test_no_token_is_in_any_repr():
    endpoint = Endpoint(url=URL, headers={"X-Tapis-Token": "secret"}, password_grant=("me", "secret"))
    assert "secret" not in repr(endpoint) + repr(Connection(endpoint)) + repr(FakeTapis().tapis())

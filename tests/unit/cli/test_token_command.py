"""``token``: made, listed, taken back."""

import json

import httpx
import pytest
from fake_tapis import result

ROWS = [
    {"id": "a1", "username": "ada", "created": "2026-01-01", "expires": "2027-01-01", "revoked": None},
    {
        "id": "b2",
        "username": "bob",
        "created": "2026-01-01",
        "expires": "2027-01-01",
        "revoked": "2026-02-02",
    },
]


@pytest.fixture
def asked(fake):
    """Every call about tokens: method, path, body or query."""
    found = []

    def tokens(request: httpx.Request) -> httpx.Response:
        path = request.url.path.removeprefix("/tapis")
        given = json.loads(request.content) if request.content else dict(request.url.params)
        found.append((request.method, path, given))
        if request.method == "GET":
            return result([row for row in ROWS if given.get("username") in (None, row["username"])])
        if path.endswith("/tapisjobs/tokens"):
            return result({"access_token": {"access_token": "ey.made.it", "jti": "c3"}})
        return result({"message": "Token of ada revoked."})

    for path in ("/v3/tapisjobs/tokens", "/v3/tapisjobs/tokens/a1", "/v3/oauth2/tokens/revoke"):
        fake.instead[path] = tokens
    return found


def test_a_token_is_printed_alone_for_scripts(run, asked):
    assert run("token") == (0, "ey.made.it\n", "")
    run("token", "make", "--user", "ada", "--days", "7")
    assert [given for _, _, given in asked] == [
        {"username": None, "days": 365},
        {"username": "ada", "days": 7},
    ]


def test_tokens_are_listed_without_their_text(run, asked):
    head, ada, bob = run("token", "list")[1].splitlines()
    assert head.split() == ["id", "username", "created", "expires", "revoked"]
    assert (ada.split()[:2], bob.split()[-1]) == (["a1", "ada"], "2026-02-02")
    assert json.loads(run("token", "list", "--user", "ada", "--json")[1]) == ROWS[:1]
    assert run("token", "list", "--user", "nobody")[1] == "No tokens yet.\n"


def test_a_token_is_taken_back_by_its_id_or_its_text(run, asked):
    assert run("token", "revoke", "a1")[1] == "Token of ada revoked.\n"
    run("token", "revoke", "ey.made.it")
    run("token", "--revoke", "ey.made.it")
    assert asked == [
        ("DELETE", "/v3/tapisjobs/tokens/a1", {}),
        *[("POST", "/v3/oauth2/tokens/revoke", {"token": "ey.made.it"})] * 2,
    ]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["revoke"], "Which token? `jupyter tapisjobs token list` shows the ids"),
        (["make", "ada"], "a name is given as --user ada"),
        (["list", "ada"], "a name is given as --user ada"),
    ],
)
def test_a_slip_says_how_it_is_written(run, asked, words, told):
    code, _, err = run("token", *words)
    assert code == 1
    assert told in err
    assert asked == []

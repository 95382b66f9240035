"""Inputs from the Web, with a real server on this machine."""

from __future__ import annotations

import datetime
import http.server
import ipaddress
import ssl
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from jupyter_tapis_jobs.engine import fetch as module
from jupyter_tapis_jobs.engine.fetch import fetch
from jupyter_tapis_jobs.model.errors import InvalidInputError, TooLargeError, UnavailableError

BIG = bytes(range(256)) * 8192


class Site(http.server.BaseHTTPRequestHandler):
    """Files, redirects and troubles; remembers the hosts it was called by."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.server.hosts.append(self.headers["Host"])
        kind, _, rest = self.path.strip("/").partition("/")
        getattr(self, f"_{kind}")(rest)

    def _answer(self, status: int, body: bytes = b"", **headers: str) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)

    def _file(self, rest: str) -> None:
        self._answer(200, BIG)

    def _packed(self, rest: str) -> None:
        self._answer(200, b"\x1f\x8b not to be unpacked", Content_Encoding="gzip")

    def _status(self, rest: str) -> None:
        self._answer(int(rest))

    def _to(self, rest: str) -> None:
        self._answer(302, Location=rest)

    def _hop(self, rest: str) -> None:
        self._answer(302, Location=f"/hop/{int(rest) - 1}" if int(rest) else "/file")

    def _short(self, rest: str) -> None:
        self._answer(200, b"half", Content_Length="8")
        self.close_connection = True

    def _endless(self, rest: str) -> None:
        self.send_response(200)
        self.end_headers()
        self.close_connection = True
        try:
            while True:
                self.wfile.write(BIG)
        except OSError:
            return

    def log_message(self, *words: object) -> None:
        """Say nothing."""


class Server(http.server.ThreadingHTTPServer):
    """A site on a free port."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Site)
        self.hosts: list[str] = []
        self.port = self.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}"

    def handle_error(self, *words: object) -> None:
        """A caller that goes away is no error."""


@pytest.fixture
def site() -> Iterator[Server]:
    with Server() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def names(*addresses: str):
    """Return a resolver that gives these addresses, and counts how often it is asked."""

    async def resolve(host: str, port: int) -> Sequence[str]:
        asked.append(host)
        return addresses

    asked: list[str] = []
    resolve.asked = asked
    return resolve


async def body(url: str, **keywords: object) -> bytes:
    return b"".join([chunk async for chunk in fetch(url, **{"allow_private": True, **keywords})])


async def test_a_file_arrives_whole_and_in_pieces(site):
    pieces = [piece async for piece in fetch(f"{site.url}/file", allow_private=True)]
    assert b"".join(pieces) == BIG
    assert len(pieces) > 1


async def test_a_packed_answer_is_left_as_it_is(site):
    assert await body(f"{site.url}/packed") == b"\x1f\x8b not to be unpacked"


async def test_redirects_are_followed_up_to_five(site):
    assert await body(f"{site.url}/hop/4") == BIG
    with pytest.raises(InvalidInputError, match="more than 5 times"):
        await body(f"{site.url}/hop/5")


@pytest.mark.parametrize("target", ["file:///etc/passwd", "ftp://example.org/x", "gopher://127.0.0.1/"])
async def test_a_redirect_to_another_kind_of_url_is_refused(site, target):
    with pytest.raises(InvalidInputError, match="http:// or https://"):
        await body(f"{site.url}/to/{target}")


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "localhost",
        "0.0.0.0",  # noqa: S104
        "10.1.2.3",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "2130706433",
        "127.1",
        "[::1]",
        "[::]",
        "[fe80::1]",
        "[fd00::1]",
        "[::ffff:127.0.0.1]",
        "[64:ff9b::7f00:1]",
        "[2002:7f00:1::]",
        "224.0.0.1",
        "[ff02::1]",
    ],
)
async def test_addresses_inside_are_refused_however_they_are_written(site, host):
    with pytest.raises(InvalidInputError, match="own network"):
        await body(f"http://{host}:{site.port}/file", allow_private=False)
    assert site.hosts == []


async def test_one_private_address_among_public_ones_is_refused(site):
    with pytest.raises(InvalidInputError, match=r"10\.0\.0\.1"):
        await body("http://mixed.example/f", allow_private=False, resolve=names("93.184.216.34", "10.0.0.1"))


async def test_a_redirect_to_an_address_inside_is_refused(site, monkeypatch):
    monkeypatch.setattr(module, "is_public", lambda address: address == "127.0.0.1")
    with pytest.raises(InvalidInputError, match=r"169\.254\.169\.254"):
        await body(f"{site.url}/to/http://169.254.169.254/latest/meta-data", allow_private=False)
    assert len(site.hosts) == 1


async def test_a_name_is_resolved_once_and_called_at_the_address_that_was_checked(site):
    resolve = names("127.0.0.1")
    assert await body(f"http://data.example.org:{site.port}/file", resolve=resolve) == BIG
    assert resolve.asked == ["data.example.org"]
    assert site.hosts == [f"data.example.org:{site.port}"]


async def test_an_address_that_does_not_answer_is_passed_over(site):
    resolve = names("127.0.0.2", "127.0.0.1")
    assert await body(f"http://data.example.org:{site.port}/file", resolve=resolve) == BIG


async def test_a_file_that_says_it_is_too_large_is_refused_before_a_byte_of_it(site):
    chunks = fetch(f"{site.url}/file", allow_private=True, limit=1000)
    with pytest.raises(TooLargeError, match="1000 bytes"):
        await anext(chunks)


async def test_a_file_without_end_is_cut_off_at_the_limit(site):
    with pytest.raises(TooLargeError):
        await body(f"{site.url}/endless", limit=5_000_000)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410])
async def test_a_refusal_is_the_users_to_mend(site, status):
    with pytest.raises(InvalidInputError, match=str(status)) as caught:
        await body(f"{site.url}/status/{status}")
    assert caught.value.field == "sourceUrl"


@pytest.mark.parametrize("status", [408, 429, 500, 503])
async def test_the_servers_trouble_passes(site, status):
    with pytest.raises(UnavailableError, match=str(status)):
        await body(f"{site.url}/status/{status}")


async def test_an_answer_that_breaks_off_is_no_file(site):
    with pytest.raises(UnavailableError, match="could not be fetched"):
        await body(f"{site.url}/short")


async def test_a_server_that_is_not_there_is_told(site):
    with pytest.raises(UnavailableError, match="could not be fetched"):
        await body("http://127.0.0.1:1/file")


@pytest.mark.parametrize("host", ["surely-not.invalid", "x" * 64 + ".example"])
async def test_a_name_that_does_not_exist_is_told(host):
    with pytest.raises((UnavailableError, InvalidInputError), match=host[:10]):
        await body(f"http://{host}/file")


@pytest.mark.parametrize(
    "url",
    [
        "http://",
        "http:///x",
        "tapis://local/x",
        "just words",
        "http://[::1/x",
        "http://a:b/",
        "http://0177.0.0.1/",
    ],
)
async def test_what_is_no_web_address_is_refused(url):
    with pytest.raises(InvalidInputError):
        await body(url)


async def test_a_password_in_a_url_is_refused_and_not_repeated(site):
    with pytest.raises(InvalidInputError) as caught:
        await body(f"http://me:secret@127.0.0.1:{site.port}/file")
    assert "secret" not in str(caught.value)


async def test_a_proxy_of_the_environment_is_not_used(site, monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:1")
    assert await body(f"{site.url}/file") == BIG


@pytest.fixture
def certified(site: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """The site over TLS, with a trusted certificate for data.example.org."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "data.example.org")])
    now = datetime.datetime.now(datetime.UTC)
    alternatives = [x509.DNSName("data.example.org"), x509.IPAddress(ipaddress.ip_address("127.0.0.9"))]
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = tmp_path / "site.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    pem.write_bytes(private + certificate.public_bytes(serialization.Encoding.PEM))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    site.socket = context.wrap_socket(site.socket, server_side=True)
    monkeypatch.setenv("SSL_CERT_FILE", str(pem))
    module.trusted.cache_clear()
    yield site
    module.trusted.cache_clear()


async def test_over_tls_the_host_of_the_url_must_be_proved(certified):
    good = f"https://data.example.org:{certified.port}/file"
    assert await body(good, resolve=names("127.0.0.1")) == BIG
    with pytest.raises(UnavailableError, match="certificate"):
        await body(f"https://other.example.org:{certified.port}/file", resolve=names("127.0.0.1"))

"""Notifications by e-mail, handed to a real mail server."""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import Iterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import pytest
from aiosmtpd.smtp import AuthResult, LoginPassword
from receivers import Mailbox, mail_receiver

from jupyter_tapis_jobs.engine.mail import MailSender, MailServer, Security
from jupyter_tapis_jobs.model.errors import InvalidInputError, TransportError, UnavailableError

MAIL = "train301@example.org"


@pytest.fixture(scope="module")
def server() -> Iterator[Mailbox]:
    with mail_receiver() as box:
        yield box


@pytest.fixture
def box(server: Mailbox) -> Mailbox:
    server.got.clear()
    server.refused.clear()
    return server


def given(box: Mailbox, **more) -> MailServer:
    """Return the settings for a mail server without TLS."""
    settings = {
        "host": "127.0.0.1",
        "port": box.port,
        "security": Security.NONE,
        "sender": "jobs@here.example",
    }
    return MailServer(**(settings | more))


def hand_in(server: MailServer, *notices) -> None:
    """Hand in mails over one connection."""

    async def run() -> None:
        async with MailSender(server).session("EMAIL") as session:
            for notice in notices:
                await session.send(notice)

    asyncio.run(run())


def test_a_mail_says_it_in_plain_words_and_has_tapiss_json(box, notice_to):
    notice = notice_to(MAIL, exit_code=0)
    hand_in(given(box), notice)
    (mail,) = box.got
    assert (mail["Subject"], mail["To"], mail["From"]) == ("pushover: FINISHED", MAIL, "jobs@here.example")
    assert mail["Auto-Submitted"] == "auto-generated"
    assert parsedate_to_datetime(mail["Date"]) == datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC)
    text = mail.get_content().replace("\r\n", "\n")
    assert text.startswith("Job pushover is now FINISHED.\nall is well\nexit code 0\n")
    assert json.loads(text[text.index("{") :]) == notice.to_wire()


def test_a_mail_that_is_sent_again_has_the_same_id(box, notice_to):
    hand_in(given(box), notice_to(MAIL), notice_to(MAIL))
    first, second = box.got
    assert first["Message-ID"] == second["Message-ID"]
    assert first["Message-ID"].endswith("@here.example>")


def test_nothing_in_a_name_or_a_message_becomes_a_header(box, notice_to):
    hand_in(
        given(box),
        notice_to(MAIL, name="odd\r\nBcc: all@example.org\r\n\r\nx", description="\r\n.\r\nMAIL FROM:<a@b>"),
    )
    (mail,) = box.got
    assert mail["Bcc"] is None
    assert mail["Subject"] == "odd Bcc: all@example.org x: FINISHED"
    assert ". MAIL FROM:<a@b>" in mail.get_content()


def test_words_of_all_languages_arrive(box, notice_to):
    hand_in(given(box), notice_to(MAIL, name="Rütteltisch 地震", description="x" * 5000))
    (mail,) = box.got
    assert mail["Subject"] == "Rütteltisch 地震: FINISHED"
    assert max(map(len, mail.get_content().splitlines()[:5])) <= 500


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        ("550 no such user", InvalidInputError),
        ("450 greylisted, come again", UnavailableError),
        ("421 too busy", TransportError),
    ],
)
def test_what_a_refusal_means(box, notice_to, answer, error):
    box.refused[MAIL] = answer
    with pytest.raises(error) as caught:
        hand_in(given(box), notice_to(MAIL))
    assert type(caught.value) is error
    assert answer.partition(" ")[2] in caught.value.message


def test_a_refused_address_is_not_in_the_way_of_the_next(box, notice_to):
    box.refused["gone@example.org"] = "550 no such user"

    async def run() -> None:
        async with MailSender(given(box)).session("EMAIL") as session:
            with pytest.raises(InvalidInputError, match=r"gone@example\.org: 550 no such user"):
                await session.send(notice_to("gone@example.org"))
            await session.send(notice_to(MAIL))

    asyncio.run(run())
    assert box.subjects(MAIL) == ["pushover: FINISHED"]


def test_no_mail_server_answers(notice_to):
    with mail_receiver() as gone:
        settings = given(gone)
    with pytest.raises(TransportError, match=r"mail server 127\.0\.0\.1:\d+ cannot be used: .* Tried again"):
        hand_in(settings, notice_to(MAIL))


def test_a_mail_server_that_cannot_keep_a_secret_gets_none_and_no_mail(box, notice_to):
    settings = given(box, security=Security.STARTTLS, user="ada", password="between us")
    with pytest.raises(TransportError, match="cannot be used"):
        hand_in(settings, notice_to(MAIL))
    assert box.got == []


def test_a_name_and_a_password_sign_in(notice_to):
    def known(server, session, envelope, mechanism, data) -> AuthResult:
        return AuthResult(success=data == LoginPassword(b"ada", b"between us"), handled=False)

    with mail_receiver(authenticator=known, auth_require_tls=False) as box:
        hand_in(given(box, user="ada", password="between us"), notice_to(MAIL))
        assert box.subjects(MAIL) == ["pushover: FINISHED"]
        wrong = given(box, user="ada", password="guess")
        with pytest.raises(TransportError, match="cannot be used") as caught:
            hand_in(wrong, notice_to(MAIL))
    assert "guess" not in caught.value.message + repr(wrong)


def test_the_certificate_of_a_mail_server_is_checked(tmp_path, notice_to):
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(*self_signed(tmp_path))
    with mail_receiver(tls_context=context, require_starttls=True) as box:
        with pytest.raises(TransportError, match="certificate"):
            hand_in(given(box, security=Security.STARTTLS), notice_to(MAIL))
        assert box.got == []


def test_without_a_mail_server_a_subscriber_is_told_what_to_set():
    with pytest.raises(InvalidInputError, match=r"c\.TapisJobsApp\.smtp_server"):
        MailSender(MailServer()).check(MAIL)


def self_signed(folder) -> tuple[str, str]:
    """Return the files of a certificate that nobody vouches for, and its key."""
    from datetime import timedelta

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import NameOID

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    (folder / "cert.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    (folder / "key.pem").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return str(folder / "cert.pem"), str(folder / "key.pem")

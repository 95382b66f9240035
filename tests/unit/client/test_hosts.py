"""Adding hosts: what is asked, what is not, what is said, and that no secret stays in the kernel."""

import gc
import sys

import pytest
from fake_host import FINGERPRINT, OTHER, REPORT, SYSTEM, Answers, FakeHost

from jupyter_tapis_jobs.client import hosts, person
from jupyter_tapis_jobs.client.host_sign_in import private_key
from jupyter_tapis_jobs.client.hosts import Host
from jupyter_tapis_jobs.model.errors import (
    CodeNeededError,
    ConflictError,
    HostKeyError,
    HostSignInError,
    InvalidInputError,
    NotFoundError,
)

KEY = "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXk=\n-----END OPENSSH PRIVATE KEY-----\n"


@pytest.fixture
def host(fake):
    return FakeHost(fake)


@pytest.fixture
def asked(monkeypatch):
    """The person at the keyboard, with the answers that a test puts in."""
    found = Answers()
    monkeypatch.setattr(hosts, "AtTheKeyboard", lambda: found)
    return found


# --- the host's key ---------------------------------------------------------------------------
def test_a_new_key_is_shown_and_pinned_once_the_person_says_yes(tapis, host, asked, capsys):
    asked.answers = [True]
    added = tapis.add_host("frontera", host="frontera.tacc.utexas.edu", user="train301")
    assert asked.questions == [f"frontera: key {FINGERPRINT} (new). Trust it?"]
    assert host.bodies[-1]["trust"] == FINGERPRINT
    assert added.name == "frontera"
    assert capsys.readouterr().out.splitlines() == [
        "  Slurm 23.11 · queues development (40 nodes, 2 h) · arrays up to 1000 · apptainer 1.3",
        "  work directory $SCRATCH/tapis · ready",
        "  ⚠ no python3 on the login node",
    ]


def test_a_no_adds_nothing_and_says_so(tapis, host, asked, fake):
    asked.answers = [False]
    with pytest.raises(HostKeyError, match=r"was not added: its key SHA256:Zk3\w+ is not trusted"):
        tapis.add_host("frontera")
    assert len(host.bodies) == 1
    assert fake.systems["frontera"] is not SYSTEM


def test_where_nobody_can_answer_the_sentence_says_what_to_pass(tapis, host, asked):
    with pytest.raises(HostKeyError, match=f"pass trust='{FINGERPRINT}'") as caught:
        tapis.add_host("frontera")
    assert str(caught.value) == caught.value.message


def test_the_given_fingerprint_is_not_asked_about(tapis, host, asked):
    tapis.add_host("frontera", trust=FINGERPRINT)
    assert asked.questions == []
    assert len(host.bodies) == 1


def test_another_key_than_the_given_one_is_refused_without_a_question(tapis, host, asked):
    with pytest.raises(HostKeyError, match="not the one that is known"):
        tapis.add_host("frontera", trust=OTHER)
    assert asked.questions == []


@pytest.mark.parametrize("trust", ["yes", "SHA256:abc", "MD5:00:11", ""])
def test_what_is_no_fingerprint_is_not_sent(tapis, host, asked, trust):
    with pytest.raises(InvalidInputError, match="is not a fingerprint as `ssh-keygen -lf` shows it"):
        tapis.add_host("frontera", trust=trust)
    assert host.bodies == []


def test_a_system_of_that_name_is_kept_and_the_way_out_named(tapis, host, asked):
    host.taken = True
    with pytest.raises(
        ConflictError, match=r"There is a system frontera already\. To change it: pass replace="
    ):
        tapis.add_host("frontera", trust=FINGERPRINT)


def test_trust_true_takes_the_key_that_is_shown_and_says_which(tapis, host, asked, capsys):
    tapis.add_host("frontera", trust=True)
    assert f"frontera: key {FINGERPRINT} (new). Trusted, as asked." in capsys.readouterr().out


def test_a_changed_key_is_never_a_question_not_even_with_trust_true(tapis, host, asked):
    host.pinned = "SHA256:old"
    with pytest.raises(HostKeyError, match="not the one that is known"):
        tapis.add_host("frontera", trust=True)
    assert asked.questions == []


# --- secrets ----------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("word", "question"),
    [
        ("password", "frontera: password:"),
        ("passphrase", "frontera: passphrase of the key:"),
        ("code", "frontera: TACC Token Code:"),
    ],
)
def test_a_secret_is_asked_for_only_when_the_host_wants_it(tapis, host, asked, word, question):
    host.wants = {word: "right"}
    asked.answers = ["right"]
    tapis.add_host("frontera", trust=FINGERPRINT)
    assert asked.questions == [question]
    assert word not in host.bodies[0]
    assert host.bodies[1][word] == "right"


def test_a_wrong_answer_is_told_and_asked_again_three_times_at_most(tapis, host, asked, capsys):
    host.wants = {"password": "right"}
    asked.answers = ["no", "nor this", "not this"]
    with pytest.raises(HostSignInError, match="does not take this password"):
        tapis.add_host("frontera", trust=FINGERPRINT)
    assert len(asked.questions) == 3
    assert capsys.readouterr().out.count("frontera does not take this password.") == 2


def test_a_wrong_password_of_the_call_is_refused_where_nobody_can_answer(tapis, host, asked):
    host.wants = {"password": "right"}
    with pytest.raises(HostSignInError) as caught:
        tapis.add_host("frontera", trust=FINGERPRINT, password="wrong")
    assert caught.value.message == "frontera does not take this password."


def test_a_code_that_nobody_can_type_says_what_to_pass(tapis, host, asked):
    host.wants = {"code": "right"}
    with pytest.raises(CodeNeededError, match="Nobody is here to ask: pass code="):
        tapis.add_host("frontera", trust=FINGERPRINT)


def test_a_one_time_code_is_asked_anew_after_a_password(tapis, host, asked):
    host.wants = {"password": "right", "code": "123456"}
    asked.answers = ["right", "123456"]
    tapis.add_host("frontera", trust=FINGERPRINT)
    assert asked.questions == ["frontera: password:", "frontera: TACC Token Code:"]


@pytest.mark.parametrize("accepted", [True, False])
def test_no_answered_secret_stays_in_the_kernel(tapis, host, asked, accepted):
    secret = "".join(["hunter", str(len(host.bodies)), "x"])
    host.wants = {"password": secret if accepted else "other"}
    asked.answers = [secret, secret, secret]
    try:
        kept = tapis.add_host("frontera", trust=FINGERPRINT)
    except HostSignInError as refused:
        kept = refused
    asked.answers = host.bodies = None
    host.wants = {}
    frames = [kept.__traceback__] if isinstance(kept, Exception) else []
    while frames and frames[-1].tb_next:
        frames.append(frames[-1].tb_next)
    held = [frame.tb_frame.f_locals for frame in frames if frame.tb_frame.f_code.co_name != "test"]
    ours = [local for local in held if local.get("secret") != secret]
    assert secret not in repr(ours)
    assert getattr(kept, "__cause__", None) is None
    gc.collect()
    assert secret not in repr(vars(kept))


def test_ctrl_c_at_a_question_is_one_sentence(tapis, host, asked):
    def stop(question):
        raise KeyboardInterrupt

    asked.secret, host.wants = stop, {"password": "right"}
    with pytest.raises(KeyboardInterrupt) as caught:
        tapis.add_host("frontera", trust=FINGERPRINT)
    assert caught.value._render_traceback_() == ["Stopped; frontera is as it was before."]


def test_a_secret_is_not_sent_where_others_can_read_it(fake, asked):
    FakeHost(fake)
    tapis = fake.tapis()
    tapis.connection.url, tapis.connection._near = "http://far.example.org/tapis", False
    with pytest.raises(InvalidInputError, match="would travel readable"):
        tapis.add_host("frontera", password="x")


@pytest.mark.parametrize("call", ["add", "check"])
def test_a_secret_that_was_asked_for_is_not_sent_where_others_can_read_it(fake, asked, call):
    word = {"add": "password", "check": "code"}[call]
    host = FakeHost(fake, pinned=FINGERPRINT, wants={word: "right"})
    tapis = fake.tapis()
    tapis.connection.url, tapis.connection._near = "http://far.example.org/tapis", False
    asked.answers = ["right"]
    work = {
        "add": lambda: tapis.add_host("frontera", trust=FINGERPRINT),
        "check": lambda: hosts.checked(tapis, "frontera", {}),
    }[call]
    with pytest.raises(InvalidInputError, match="would travel readable"):
        work()
    assert not any(word in body for body in host.bodies)


# --- the key file -----------------------------------------------------------------------------
def test_a_key_is_read_from_its_path_here_and_travels_as_text(tapis, host, asked, tmp_path):
    (tmp_path / "id_ed25519").write_text(KEY)
    tapis.add_host("frontera", trust=FINGERPRINT, key=tmp_path / "id_ed25519")
    assert host.bodies[-1]["privateKey"] == KEY


def test_a_key_can_be_given_as_text(tapis, host, asked):
    tapis.add_host("frontera", trust=FINGERPRINT, key=KEY)
    assert host.bodies[-1]["privateKey"] == KEY


def test_an_alias_of_ssh_config_needs_nothing_else(tapis, host, asked):
    tapis.add_host("frontera", trust=FINGERPRINT)
    assert host.bodies == [{"id": "frontera", "host": "frontera", "rootDir": "/", "trust": FINGERPRINT}]


def test_a_missing_key_file_names_those_that_are_there(tmp_path):
    (tmp_path / "id_ed25519").write_text(KEY)
    (tmp_path / "id_ed25519.pub").write_text("ssh-ed25519 AAAA")
    with pytest.raises(InvalidInputError, match=r"Did you mean 'id_ed25519'\? Keys in .*: id_ed25519\.$"):
        private_key(tmp_path / "id_ed2551")


def test_a_public_key_is_told_apart(tmp_path):
    (tmp_path / "id_rsa.pub").write_text("ssh-rsa AAAA")
    with pytest.raises(InvalidInputError, match="the public half of the key"):
        private_key(tmp_path / "id_rsa.pub")


@pytest.mark.parametrize("content", [b"ssh-rsa AAAA", b"\xff\xfe\x00", b"-----BEGIN CERTIFICATE-----"])
def test_what_is_no_key_is_not_sent(tmp_path, content):
    (tmp_path / "key").write_bytes(content)
    with pytest.raises(InvalidInputError, match="is not a private key"):
        private_key(tmp_path / "key")


def test_known_hosts_travel_as_text(tapis, host, asked, tmp_path):
    (tmp_path / "known_hosts").write_text("frontera ssh-ed25519 AAAA\n")
    tapis.add_host("frontera", trust=FINGERPRINT, knownHosts=tmp_path / "known_hosts")
    assert host.bodies[-1]["knownHosts"] == "frontera ssh-ed25519 AAAA\n"


# --- what is shown ----------------------------------------------------------------------------
def test_a_host_shows_its_queues_and_their_limits_as_text_and_html(tapis):
    shown = Host(tapis, SYSTEM, REPORT)
    assert repr(shown).splitlines() == [
        "frontera   frontera.tacc.utexas.edu · Slurm 23.11 · arrays up to 1,000",
        "  queue             nodes  cores a node  memory a node  time",
        "  development       40     56            192 GB         2 h",
        "  normal (default)  512    any           any            48 h",
    ]
    html = shown._repr_html_()
    assert "<strong>frontera</strong>" in html
    assert "<td>192 GB</td>" in html
    assert shown.queues["minutes"].tolist() == [120, 2880]


def test_what_a_host_says_of_itself_is_escaped(tapis):
    evil = SYSTEM | {"host": "<script>", "batchLogicalQueues": [{"name": "<img src=x>"}]}
    html = Host(tapis, evil)._repr_html_()
    assert "<script>" not in html
    assert "<img" not in html


def test_a_machine_without_slurm_says_so(tapis):
    assert (
        repr(Host(tapis, {"id": "box", "host": "box.example.org"}))
        == "box   box.example.org · no batch system"
    )


def test_the_hosts_and_their_troubles_are_a_frame(tapis, host):
    frame = tapis.hosts()
    assert list(frame.columns) == ["id", "state", "message", "nextTry", "user"]
    assert frame["nextTry"][0].isoformat() == "2026-11-21T05:02:00+00:00"


def test_systems_name_their_queues(tapis):
    frame = tapis.systems().set_index("id")
    assert frame.loc["frontera", "queues"] == "normal, large"


def test_a_host_is_found_by_its_name(tapis, fake):
    fake.systems["frontera"] = SYSTEM
    assert "normal (default)" in repr(tapis.host("frontera"))
    with pytest.raises(NotFoundError, match=r"Did you mean 'frontera'\?.* A new one: tapis.add_host"):
        tapis.host("fronterra")


def test_a_tenant_has_its_own_ways(fake):
    fake.ours = False
    with pytest.raises(InvalidInputError, match="is a Tapis tenant"):
        fake.tapis().add_host("frontera")


# --- check ------------------------------------------------------------------------------------
def test_a_check_looks_again_and_says_what_it_found(tapis, host, asked, fake, capsys):
    fake.systems["frontera"], host.pinned = SYSTEM, FINGERPRINT
    found = tapis.host("frontera").check()
    assert "work directory $SCRATCH/tapis · ready" in capsys.readouterr().out
    assert found.report == REPORT


def test_a_check_asks_for_a_code_and_nothing_else(tapis, host, asked, fake):
    fake.systems["frontera"], host.pinned = SYSTEM, FINGERPRINT
    host.wants = {"code": "123456"}
    asked.answers = ["123456"]
    tapis.host("frontera").check()
    host.wants = {"password": "gone"}
    with pytest.raises(HostSignInError):
        tapis.host("frontera").check()
    host.wants, host.pinned = {}, "SHA256:old"
    with pytest.raises(HostKeyError):
        tapis.host("frontera").check()
    assert asked.questions == ["frontera: TACC Token Code:"]


# --- the person -------------------------------------------------------------------------------
class Terminal:
    """Standard input of a terminal."""

    def __init__(self, is_terminal):
        self.isatty = lambda: is_terminal


@pytest.mark.parametrize(
    ("typed", "agreed"), [("y", True), (" Yes ", True), ("", False), ("n", False), ("j", False)]
)
def test_only_a_yes_is_a_yes(monkeypatch, typed, agreed):
    monkeypatch.setattr(sys, "stdin", Terminal(True))
    monkeypatch.setattr("builtins.input", lambda question: typed)
    assert person.AtTheKeyboard().agrees("Trust it?") is agreed


def test_without_a_terminal_nobody_is_asked(monkeypatch):
    monkeypatch.setattr(sys, "stdin", Terminal(False))
    monkeypatch.setattr("builtins.input", lambda question: pytest.fail("asked"))
    assert person.AtTheKeyboard().agrees("Trust it?") is None
    assert person.AtTheKeyboard().secret("password:") is None


def test_a_kernel_without_input_has_nobody_to_ask(monkeypatch):
    def refuse(question):
        raise NotImplementedError("raw_input was called, but this frontend does not support input requests.")

    monkeypatch.setattr(person, "in_notebook", lambda: True)
    monkeypatch.setattr("getpass.getpass", refuse)
    assert person.AtTheKeyboard().secret("password:") is None

#!/usr/bin/python3
"""swaks and Postfix's smtp-source: receiving for local recipients with and without TLS, submission
with every way to authenticate, refusals, and a load of pipelined connections."""

import os
import pathlib
import shutil
import subprocess

from harness import bourse, mail, tap
from harness.bourse import PASSWORD
from harness.tap import expect, expect_equal, test

server = bourse.Server(["alice", "bob"]).start()
SMTP_SOURCE = shutil.which("smtp-source") or shutil.which(
    "smtp-source", path=str(bourse.TOP / "build/packages/postfix/usr/sbin"))


def swaks(service, *words, status=0, to="alice@example.test", sender="sender@remote.test"):
    host, port = server.address(service)
    done = subprocess.run(["swaks", "--server", host, "--port", str(port), "--from", sender, "--to",
                           to, "--ehlo", "client.test", "--timeout", "60", *words], check=False,
                          capture_output=True, text=True, timeout=120, stdin=subprocess.DEVNULL)
    if done.returncode != status:
        tap.fail(f"swaks {words}: {done.returncode}, expected {status}\n{done.stdout}{done.stderr}")
    return done.stdout


def count(user):
    with server.imap(user) as imap:
        return imap.status("INBOX", "MESSAGES")["MESSAGES"]


def arrives(user, before, n=1):
    server.wait_for_messages(user, before + n)


@test
def swaks_delivers_without_authentication_to_a_local_recipient():
    before = count("alice")
    said = swaks("smtp", "--header", "Subject: plain", "--body", "plain body")
    expect("250" in said)
    arrives("alice", before)


@test
def swaks_delivers_with_starttls():
    before = count("alice")
    said = swaks("smtp", "--tls", "--tls-verify", "--tls-ca-path", str(server.ca), "--tls-sni",
                 "localhost", "--header", "Subject: tls")
    expect("TLS started" in said, said)
    arrives("alice", before)


@test
def swaks_submits_with_auth_plain_and_login():
    for mechanism in ("PLAIN", "LOGIN"):
        before = count("bob")
        swaks("submission", "--tls", "--auth", mechanism, "--auth-user", "alice@example.test",
              "--auth-password", PASSWORD, "--header", f"Subject: auth {mechanism}",
              sender="alice@example.test", to="bob@example.test")
        arrives("bob", before)


@test
def swaks_submits_over_implicit_tls():
    before = count("bob")
    swaks("submissions", "--tls-on-connect", "--auth", "PLAIN", "--auth-user",
          "alice@example.test", "--auth-password", PASSWORD, sender="alice@example.test",
          to="bob@example.test")
    arrives("bob", before)


@test
def swaks_with_a_wrong_password_is_refused():
    swaks("submission", "--tls", "--auth", "PLAIN", "--auth-user", "alice@example.test",
          "--auth-password", "wrong", status=28, sender="alice@example.test")


@test
def submission_needs_authentication():
    before = count("bob")
    swaks("submission", "--tls", status=23, sender="alice@example.test", to="bob@example.test")
    expect_equal(count("bob"), before)


@test
def unknown_recipients_and_relaying_are_refused():
    swaks("smtp", to="nobody@example.test", status=24)
    swaks("smtp", to="someone@elsewhere.test", status=24)


@test
def two_recipients_get_one_copy_each():
    before = count("alice"), count("bob")
    swaks("smtp", to="alice@example.test,bob@example.test")
    arrives("alice", before[0])
    arrives("bob", before[1])
    expect_equal((count("alice"), count("bob")), (before[0] + 1, before[1] + 1))


@test
def an_attachment_of_swaks_arrives_whole():
    path = server.root / "data.bin"
    data = os.urandom(300_000)
    path.write_bytes(data)
    before = count("alice")
    swaks("smtp", "--attach", f"@{path}", "--body", "see attachment", "--header", "Subject: bin")
    arrives("alice", before)
    import email
    with server.imap("alice") as imap:
        n = imap.select()
        body = imap.fetch_bodies(str(n))[n]
    parts = list(email.message_from_bytes(body).walk())
    expect(any(part.get_payload(decode=True) == data for part in parts), "attachment differs")


def smtp_source(*words, seconds=300):
    if not SMTP_SOURCE:
        tap.skip("smtp-source is not installed")
    host, port = server.address("smtp")
    libraries = pathlib.Path(SMTP_SOURCE).parent.parent / "lib" / "postfix"
    env = {**os.environ, "LD_LIBRARY_PATH": str(libraries)}
    done = subprocess.run([SMTP_SOURCE, *words, "-f", "source@remote.test", f"inet:{host}:{port}"],
                          check=False, capture_output=True, text=True, timeout=seconds, env=env)
    expect_equal(done.returncode, 0, "smtp-source: " + done.stderr[-2000:])


@test
def smtp_source_delivers_500_messages_over_20_connections():
    before = count("alice")
    smtp_source("-s", "20", "-m", "500", "-l", "10240", "-t", "alice@example.test")
    server.wait_for_messages("alice", before + 500, seconds=120)
    expect_equal(count("alice"), before + 500)


@test
def smtp_source_keeps_connections_open():
    before = count("bob")
    smtp_source("-d", "-s", "4", "-m", "200", "-l", "2000", "-t", "bob@example.test")
    server.wait_for_messages("bob", before + 200, seconds=120)
    expect_equal(count("bob"), before + 200)


@test
def smtp_source_with_many_recipients():
    before = count("alice"), count("bob")
    for name in ("alice", "bob"):
        smtp_source("-s", "2", "-m", "10", "-r", "1", "-l", "500", "-t", f"{name}@example.test")
    arrives("alice", before[0], 10)
    arrives("bob", before[1], 10)


@test
def nothing_of_the_messages_is_logged():
    secret = "zebra-crossing-17"
    before = count("alice")
    server.deliver("alice", mail.simple_message(secret, body=secret + "\r\n"))
    arrives("alice", before)
    expect(secret not in server.log.read_text(errors="replace"), "message content in the log")
    expect(PASSWORD not in server.log.read_text(errors="replace"), "a password in the log")


def finish():
    server.remove()


tap.finish(finish)

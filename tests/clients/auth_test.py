#!/usr/bin/python3
"""Every way to log in without Kerberos, at SMTP, IMAP and POP3: curl with NTLM and bearer tokens, imaplib
with SCRAM (bound to TLS and not), imapflow with a token, delegates, and what is offered where."""

import base64
import hashlib
import hmac
import imaplib
import os
import pathlib
import poplib
import shutil
import smtplib
import ssl
import subprocess
import tempfile

from harness import bourse, curl, issuer, mail, tap
from harness.bourse import DOMAIN, PASSWORD
from harness.tap import expect, expect_equal, test

keys = pathlib.Path(tempfile.mkdtemp(prefix="bourse-issuer-"))
tokens = issuer.Issuer(keys)
server = bourse.Server(["alice", "bob"],
                       settings={"auth": {"ntlm": "true", **tokens.settings()}}).start()
ALICE = f"alice@{DOMAIN}"
SERVICES = ("imap", "imaps", "pop3", "pop3s", "submission", "submissions")
HERE = pathlib.Path(__file__).resolve().parent


def refused(function, *errors):
    try:
        function()
    except errors as error:
        return str(error)
    tap.fail("was not refused")


# --- What is offered ---


@test
def mechanisms_are_offered():
    everywhere = ["SCRAM-SHA-256", "NTLM", "XOAUTH2", "OAUTHBEARER", "PLAIN", "LOGIN"]
    for tls in (False, True):
        wanted = ["SCRAM-SHA-256-PLUS"] * tls + everywhere
        with server.imap(login=False, tls=tls) as imap:
            said = b" ".join(imap.ok("CAPABILITY")).decode()
        offered = [word[5:] for word in said.split() if word.startswith("AUTH=")]
        expect_equal(offered, wanted, "IMAP")
        host, port = server.address("pop3s" if tls else "pop3")
        pop = poplib.POP3_SSL(host, port, context=mail.tls_context(server.ca)) if tls else \
            poplib.POP3(host, port)
        expect_equal(pop.capa()["SASL"], wanted, "POP3")
        pop.quit()
        host, port = server.address("submissions" if tls else "submission")
        smtp = smtplib.SMTP_SSL(host, port, context=mail.tls_context(server.ca)) if tls else \
            smtplib.SMTP(host, port)
        smtp.ehlo()
        expect_equal(smtp.esmtp_features["auth"].split(), wanted, "SMTP")
        smtp.quit()


# --- curl ---


@test
def curl_with_ntlm():
    for service in SERVICES:
        for user in ("alice", "EXAMPLE\\alice", ALICE):
            status, said = curl.login(server, service, "NTLM", user, password=PASSWORD)
            expect_equal(status, 0, f"{service} {user}: {said}")
            if service in ("pop3s", "submissions", "imaps"):
                break  # TLS makes no difference to the name
    status, said = curl.login(server, "imap", "NTLM", "bob", password="wrong")
    expect_equal(status, curl.LOGIN_DENIED, said)


@test
def curl_with_tokens():
    good, late = tokens.token(ALICE), tokens.token(ALICE, seconds=-3600)
    for mechanism in ("XOAUTH2", "OAUTHBEARER"):
        for service in SERVICES:
            status, said = curl.login(server, service, mechanism, ALICE, "--oauth2-bearer", good)
            expect_equal(status, 0, f"{service} {mechanism}: {said}")
        for service in ("imap", "pop3", "submission"):
            status, said = curl.login(server, service, mechanism, ALICE, "--oauth2-bearer", late)
            expect_equal(status, curl.LOGIN_DENIED, f"{service} {mechanism} late: {said}")
    status, said = curl.login(server, "imap", "XOAUTH2", f"bob@{DOMAIN}", "--oauth2-bearer", good)
    expect_equal(status, curl.LOGIN_DENIED, f"somebody else's token: {said}")
    status, said = curl.login(server, "imap", "XOAUTH2", ALICE, "--oauth2-bearer",
                              tokens.token(ALICE, aud="other"))
    expect_equal(status, curl.LOGIN_DENIED, f"for another server: {said}")


@test
def curl_with_plain_and_login():
    for mechanism in ("PLAIN", "LOGIN"):
        for service in ("imap", "pop3", "submission"):
            status, said = curl.login(server, service, mechanism, ALICE, password=PASSWORD)
            expect_equal(status, 0, f"{service} {mechanism}: {said}")


# --- SCRAM ---


class Scram:
    """The client's side of RFC 5802; `certificate`, `exporter`: what it is bound to."""

    def __init__(self, user, password, certificate=None, exporter=b""):
        self.password, self.step, self.bound = password, 0, exporter
        self.header = b"p=tls-exporter,," if exporter else b"n,,"
        if certificate:
            self.header, self.bound = b"p=tls-server-end-point,,", hashlib.sha256(certificate).digest()
        self.bare = b"n=%s,r=fyko+d2lbbFgONRv9qkxdawL" % user.encode()

    def __call__(self, challenge):
        self.step += 1
        if self.step == 1:
            return self.header + self.bare
        if self.step == 3:
            expect_equal(challenge, self.signature, "the server's signature")
            return b""
        return self.final(challenge)

    def final(self, first):
        fields = dict(part.split(b"=", 1) for part in first.split(b","))
        salted = hashlib.pbkdf2_hmac("sha256", self.password.encode(),
                                     base64.b64decode(fields[b"s"]), int(fields[b"i"]))
        without = b"c=" + base64.b64encode(self.header + self.bound) + b",r=" + fields[b"r"]
        whole = b",".join((self.bare, first, without))
        client = hmac.digest(salted, b"Client Key", "sha256")
        signature = hmac.digest(hashlib.sha256(client).digest(), whole, "sha256")
        proof = bytes(a ^ b for a, b in zip(client, signature))
        key = hmac.digest(salted, b"Server Key", "sha256")
        self.signature = b"v=" + base64.b64encode(hmac.digest(key, whole, "sha256"))
        return without + b",p=" + base64.b64encode(proof)


def imaplib_client(tls):
    host, port = server.address("imaps" if tls else "imap")
    return imaplib.IMAP4_SSL(host, port, ssl_context=mail.tls_context(server.ca), timeout=30) if tls \
        else imaplib.IMAP4(host, port, timeout=30)


@test
def imaplib_with_scram():
    for tls in (False, True):
        imap = imaplib_client(tls)
        imap.authenticate("SCRAM-SHA-256", Scram(ALICE, PASSWORD))
        imap.select()
        imap.logout()
    imap = imaplib_client(False)
    refused(lambda: imap.authenticate("SCRAM-SHA-256", Scram(ALICE, "wrong")), imaplib.IMAP4.error)
    refused(lambda: imap.authenticate("SCRAM-SHA-256", Scram("nobody", "wrong")),
            imaplib.IMAP4.error)
    imap.authenticate("SCRAM-SHA-256", Scram("alice", PASSWORD))  # the connection goes on
    imap.logout()


@test
def imaplib_with_scram_bound_to_tls():
    imap = imaplib_client(True)
    certificate = imap.sock.getpeercert(True)
    refused(lambda: imap.authenticate("SCRAM-SHA-256-PLUS",
                                      Scram(ALICE, PASSWORD, certificate + b"x")),
            imaplib.IMAP4.error)
    imap.authenticate("SCRAM-SHA-256-PLUS", Scram(ALICE, PASSWORD, certificate))
    imap.logout()


@test
def openssl_with_scram_bound_to_the_keys():
    """s_client can tell what RFC 9266 binds to."""
    host, port = server.address("imaps")
    client = subprocess.Popen(
        ["openssl", "s_client", "-tls1_3", "-connect", f"{host}:{port}", "-CAfile", str(server.ca),
         "-keymatexport", "EXPORTER-Channel-Binding", "-keymatexportlen", "32"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)

    def line_with(start, stop=b"a "):
        for line in map(bytes.strip, iter(client.stdout.readline, b"")):
            if line.startswith(start):
                return line
            if line.startswith(stop):
                tap.fail(f"{line} instead of {start}")
        return tap.fail(f"no {start}")

    exporter = bytes.fromhex(line_with(b"Keying material:").split(b":")[1].strip().decode())
    line_with(b"* OK")
    scram = Scram(ALICE, PASSWORD, exporter=exporter)
    client.stdin.write(b"a AUTHENTICATE SCRAM-SHA-256-PLUS\r\n")
    for _ in range(3):
        client.stdin.flush()
        challenge = line_with(b"+")[1:].strip()
        client.stdin.write(base64.b64encode(scram(base64.b64decode(challenge))) + b"\r\n")
    client.stdin.flush()
    line_with(b"a OK")
    client.kill()
    client.communicate()


@test
def smtplib_and_poplib_with_scram():
    host, port = server.address("submission")
    smtp = smtplib.SMTP(host, port, timeout=30)
    smtp.starttls(context=mail.tls_context(server.ca))
    smtp.ehlo()
    scram = Scram(ALICE, PASSWORD)
    expect("334" in str(smtp.docmd("AUTH", "SCRAM-SHA-256")))
    answer = b""
    for _ in range(3):
        code, answer = smtp.docmd(base64.b64encode(scram(base64.b64decode(answer))).decode())
    expect_equal(code, 235)
    smtp.quit()


# --- imapflow ---


@test
def imapflow_with_a_token():
    if not shutil.which("node") or not (HERE / "node" / "node_modules" / "imapflow").exists():
        tap.skip("node or its imapflow is not installed")
    script = """
import { ImapFlow } from "imapflow";
import fs from "node:fs";
const client = new ImapFlow({host: "localhost", port: Number(process.env.PORT), secure: true,
  tls: {ca: fs.readFileSync(process.env.CA)}, logger: false,
  auth: {user: process.env.USER_NAME, accessToken: process.env.TOKEN}});
await client.connect();
console.log((await client.status("INBOX", {messages: true})).path);
await client.logout();
"""
    path = HERE / "node" / f"token-{os.getpid()}.mjs"
    path.write_text(script)
    try:
        for token, status in ((tokens.token(ALICE), 0), (tokens.token(ALICE, -3600), 1)):
            env = {**os.environ, "PORT": str(server.address("imaps")[1]), "CA": str(server.ca),
                   "USER_NAME": ALICE, "TOKEN": token}
            done = subprocess.run(["node", str(path)], cwd=path.parent, env=env, text=True,
                                  capture_output=True, check=False, timeout=60)
            expect_equal(done.returncode, status, done.stdout + done.stderr)
    finally:
        path.unlink()


# --- Delegates ---


def imap_folders(login):
    with server.imap(login=False) as imap:
        imap.login(login, PASSWORD)
        return imap.status("INBOX", "MESSAGES")["MESSAGES"]


@test
def delegates_open_a_mailbox_by_their_login_name():
    with server.imap("alice") as imap:
        imap.append("INBOX", mail.simple_message("for a delegate"))
        count = imap.status("INBOX", "MESSAGES")["MESSAGES"]
    names = ("EXAMPLE/bob/alice", f"{DOMAIN}/bob/alice", f"bob@{DOMAIN}/alice",
             f"bob@{DOMAIN}/{ALICE}", "bob/alice")
    host, port = server.address("pop3")
    imap = imaplib_client(False)
    said = refused(lambda: imap.login(names[0], PASSWORD), imaplib.IMAP4.error)
    expect("AUTHORIZATIONFAILED" in said, said)
    imap.logout()
    pop = poplib.POP3(host, port, timeout=30)
    pop.user(names[0])
    expect("[AUTH]" in refused(lambda: pop.pass_(PASSWORD), poplib.error_proto))
    pop.close()
    server.run("folder", "grant", server.dir, ALICE, "INBOX", f"bob@{DOMAIN}", "reviewer")
    for name in names:
        expect_equal(imap_folders(name), count, name)
        pop = poplib.POP3(host, port, timeout=30)
        pop.user(name)
        pop.pass_(PASSWORD)
        expect_equal(pop.stat()[0], count, name)
        pop.quit()
    with server.imap(login=False) as imap:
        imap.login(names[0], PASSWORD)
        for command in ("LIST", "LSUB"):
            seen = [line.split()[-1] for line in imap.ok(f'{command} "" "*"')]
            expect_equal(seen, [b"INBOX"], f"{command} of a delegate with one right")
        status, _, _ = imap.command("STORE 1 +FLAGS (\\Deleted)") if imap.select() else ("NO", 0, 0)
        expect(status != "OK", "a reviewer's STORE")
    # A reviewer reads; deleting is refused and nothing is gone.
    pop = poplib.POP3(host, port, timeout=30)
    pop.user(names[0])
    pop.pass_(PASSWORD)
    pop.retr(1)
    pop.dele(1)
    refused(pop.quit, poplib.error_proto)
    expect_equal(imap_folders(ALICE), count, "after a reviewer's DELE")
    # NTLM names a delegate too; a password is the delegate's own.
    status, said = curl.login(server, "imap", "NTLM", "EXAMPLE/bob/alice", password=PASSWORD)
    expect_equal(status, 0, said)


@test
def nothing_secret_is_logged():
    log = server.log.read_text(errors="replace")
    for secret in (PASSWORD, "eyJ", "NTLMSSP", "c=biws"):
        expect(secret not in log, f"{secret} in the log")


def finish():
    server.remove()
    shutil.rmtree(keys, ignore_errors=True)


tap.finish(finish)

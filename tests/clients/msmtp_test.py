#!/usr/bin/python3
"""msmtp submits with every mechanism it knows (gssapi: kerberos_test.py), over STARTTLS and TLS."""

import pathlib
import shutil
import subprocess
import tempfile

from harness import bourse, issuer, tap
from harness.bourse import DOMAIN, PASSWORD
from harness.tap import expect, expect_equal, test

if not shutil.which("msmtp"):
    print("1..1\nok 1 - msmtp # SKIP msmtp is not installed")
    raise SystemExit(0)

folder = pathlib.Path(tempfile.mkdtemp(prefix="bourse-msmtp-"))
tokens = issuer.Issuer(folder)
server = bourse.Server(["alice", "bob"],
                       settings={"auth": {"ntlm": "true", **tokens.settings()}}).start()
sent = 0


def msmtp(mechanism, *, user=f"alice@{DOMAIN}", password=PASSWORD, service="submission"):
    _host, port = server.address(service)
    (folder / "password").write_text(password + "\n")
    words = ["msmtp", "--host=localhost", f"--port={port}", f"--auth={mechanism}", f"--user={user}",
             "--tls=on", f"--tls-starttls={'off' if service == 'submissions' else 'on'}",
             f"--tls-trust-file={server.ca}", f"--passwordeval=cat {folder}/password",
             f"--from=alice@{DOMAIN}", f"bob@{DOMAIN}"]
    return subprocess.run(words, input=f"Subject: {mechanism}\r\n\r\nHello\r\n", text=True,
                          capture_output=True, check=False, timeout=60)


def submits(mechanism, **how):
    global sent
    done = msmtp(mechanism, **how)
    if "not supported" in done.stderr or "invalid argument" in done.stderr:
        tap.skip(done.stderr.strip().splitlines()[0])
    expect_equal(done.returncode, 0, f"{mechanism}: {done.stderr}")
    sent += 1
    server.wait_for_messages("bob", sent)


@test
def plain():
    submits("plain")
    submits("plain", service="submissions")


@test
def login():
    submits("login")


@test
def scram_sha_256():
    submits("scram-sha-256")
    submits("scram-sha-256", user="alice", service="submissions")


@test
def the_best_it_finds():
    submits("on")


@test
def ntlm():
    done = msmtp("ntlm")  # msmtp's is the first version, which is not let in
    expect(done.returncode != 0 and "535" in done.stderr, done.stderr)


@test
def oauthbearer():
    submits("oauthbearer", password=tokens.token(f"alice@{DOMAIN}"))


@test
def xoauth2():
    submits("xoauth2", password=tokens.token(f"alice@{DOMAIN}"))


@test
def refused():
    for mechanism, password in (("plain", "wrong"), ("scram-sha-256", "wrong"),
                                ("oauthbearer", tokens.token(f"alice@{DOMAIN}", -3600))):
        done = msmtp(mechanism, password=password)
        expect(done.returncode != 0, f"{mechanism} with {password}")
    expect(PASSWORD not in server.log.read_text(errors="replace"), "a password in the log")


def finish():
    server.remove()
    shutil.rmtree(folder, ignore_errors=True)


tap.finish(finish)

#!/usr/bin/python3
"""Kerberos with a real KDC (Debian's krb5-kdc in a realm of its own): curl and msmtp log in by GSSAPI at
IMAP, POP3 and SMTP; principals that are no users, of no rights or of another service are refused."""

import pathlib
import shutil
import subprocess
import tempfile

from harness import bourse, curl, kdc, mail, tap
from harness.bourse import DOMAIN, PASSWORD
from harness.tap import expect, expect_equal, test

if name := kdc.missing():
    print(f"1..1\nok 1 - kerberos # SKIP {name} is not installed")
    raise SystemExit(0)

REALM = "EXAMPLE.TEST"
folder = pathlib.Path(tempfile.mkdtemp(prefix="bourse-keytab-"))
realm = kdc.Kdc(REALM).__enter__()
for who in ("alice", "carol", "nobody", "alice/admin"):
    realm.add(who, "kerberos " + who)
realm.keytab(folder / "keytab", "imap/localhost", "pop/localhost", "smtp/localhost")
server = bourse.Server(["alice", "bob", "carol"],
                       settings={"auth": {"gssapi_keytab": str(folder / "keytab")}})
server.environment.update({"KRB5_CONFIG": realm.env["KRB5_CONFIG"],
                           "KRB5RCACHEDIR": str(folder)})
server.run("user", "set", server.dir, f"carol@{DOMAIN}", "--protocols", "smtp")
server.start()
SERVICES = ("imap", "imaps", "pop3", "pop3s", "submission", "submissions")


def tickets(name):
    env = realm.login(name, "kerberos " + name)
    return {key: env[key] for key in ("KRB5_CONFIG", "KRB5CCNAME")}


@test
def curl_with_a_ticket():
    env = tickets("alice")
    for service in SERVICES:
        status, said = curl.login(server, service, "GSSAPI", f"alice@{REALM}", env=env)
        expect_equal(status, 0, f"{service}: {said}")


@test
def offered_where_there_is_a_keytab():
    with server.imap(login=False) as imap:
        expect("AUTH=GSSAPI" in str(imap.ok("CAPABILITY")), "GSSAPI is not offered")


@test
def who_may_not():
    cases = (("nobody", ""),  # no such user
             ("alice/admin", ""),  # not the user
             ("alice", f"bob@{DOMAIN}"),  # somebody else
             ("alice", f"alice@{DOMAIN}/bob"))  # a delegate without rights
    for principal, wanted in cases:
        status, said = curl.login(server, "imap", "GSSAPI", f"{principal}@{REALM}",
                                  *(["--sasl-authzid", wanted] if wanted else []),
                                  env=tickets(principal))
        expect_equal(status, curl.LOGIN_DENIED, f"{principal} as {wanted}: {said}")
    status, said = curl.login(server, "imap", "GSSAPI", f"carol@{REALM}", env=tickets("carol"))
    expect_equal(status, curl.LOGIN_DENIED, f"IMAP is switched off: {said}")
    status, said = curl.login(server, "submission", "GSSAPI", f"carol@{REALM}", env=tickets("carol"))
    expect("235 " in said, f"SMTP is on: {said}")


@test
def delegates_with_a_ticket():
    server.run("folder", "grant", server.dir, f"bob@{DOMAIN}", "INBOX", f"alice@{DOMAIN}",
               "reviewer")
    for wanted, count in ((f"alice@{DOMAIN}/bob", 0), (f"alice@{DOMAIN}", 2)):
        status, said = curl.login(server, "imap", "GSSAPI", f"alice@{REALM}", "--sasl-authzid", wanted,
                                  env=tickets("alice"))
        expect_equal(status, 0, said)
        expect(f"* {count} EXISTS" in said, said)


@test
def msmtp_with_a_ticket():
    if not shutil.which("msmtp"):
        tap.skip("msmtp is not installed")
    host, port = server.address("submission")
    done = subprocess.run(
        ["msmtp", f"--host=localhost", f"--port={port}", "--auth=gssapi", "--user=alice", "--tls=on",
         f"--tls-trust-file={server.ca}", f"--from=alice@{DOMAIN}", f"bob@{DOMAIN}"],
        input="Subject: by ticket\r\n\r\nHello\r\n", text=True, capture_output=True, check=False,
        timeout=60, env={**realm.env, **tickets("alice")})
    if "GSSAPI" in done.stderr and "not supported" in done.stderr:
        tap.skip("this msmtp knows no GSSAPI")
    expect_equal(done.returncode, 0, done.stderr)
    server.wait_for_messages("bob", 1)


@test
def tokens_that_make_no_sense():
    with server.imap(login=False) as imap:
        for token in ("YII=", "AAAA", "=", "YGYGCSqGSIb3EgECAgEAblcwVaADAgEFoQMCAQ8="):
            tag = imap.start(f"AUTHENTICATE GSSAPI {token}")
            said = str(imap.finish(tag))
            expect("NO" in said or "BAD" in said, said)
            if "BYE" in said:
                break
    with server.imap("alice") as imap:  # the server goes on
        imap.select()
    expect(PASSWORD not in server.log.read_text(errors="replace"))


def finish():
    server.remove()
    realm.__exit__(None, None, None)
    shutil.rmtree(folder, ignore_errors=True)


tap.finish(finish)

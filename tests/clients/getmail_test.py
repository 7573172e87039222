#!/usr/bin/python3
"""getmail6 by POP3S and IMAPS, with a password and with a bearer token: each message once,
whole, deleted or kept as told."""

import pathlib
import shutil
import subprocess
import tempfile

from harness import bourse, issuer, tap
from harness.bourse import DOMAIN, PASSWORD
from harness.tap import expect, expect_equal, test

if not shutil.which("getmail"):
    print("1..1\nok 1 - getmail # SKIP getmail6 is not installed")
    raise SystemExit(0)

folder = pathlib.Path(tempfile.mkdtemp(prefix="bourse-getmail-"))
tokens = issuer.Issuer(folder)
server = bourse.Server(["alice"], settings={"auth": tokens.settings()}).start()
BODIES = [b"one\r\n", b".dots\r\n..\r\n.\r\n", b"x" * 900 + b"\r\n", b"line\r\n" * 20000]


def fill(*bodies):
    with server.imap("alice") as imap:
        for body in bodies:
            imap.append("INBOX", b"Subject: get\r\nMessage-ID: <%d@test>\r\n\r\n" % len(body) + body)


def count():
    with server.imap("alice") as imap:
        return imap.status("INBOX", "MESSAGES")["MESSAGES"]


def getmail(kind, service, *retriever, delete=True, read_all=True, status=0, password=PASSWORD):
    """Bodies of what came."""
    _host, port = server.address(service)
    came = folder / "came"
    came.mkdir(exist_ok=True)
    agent = folder / "agent"  # its own Maildir delivery refuses root, who runs tests in containers
    agent.write_text(f"#!/bin/sh\nexec cat >$(mktemp {came}/XXXXXX)\n")
    agent.chmod(0o700)
    rc = folder / "getmailrc"
    lines = ["[retriever]", f"type = {kind}", "server = localhost", f"port = {port}",
             f"username = alice@{DOMAIN}", f"ca_certs = {server.ca}", *retriever]
    if "use_xoauth2 = True" not in retriever:
        lines.append(f"password = {password}")
    rc.write_text("\n".join(lines + [
        "[destination]", "type = MDA_external", f"path = {agent}", "allow_root_commands = True",
        "unixfrom = False", "[options]",
        f"delete = {delete}", f"read_all = {read_all}", "verbose = 1", "delivered_to = False",
        "received = False", ""]))
    done = subprocess.run(["getmail", f"--getmaildir={folder}", "--rcfile=getmailrc"], check=False,
                          capture_output=True, text=True, errors="replace", timeout=120,
                          stdin=subprocess.DEVNULL)
    if (done.returncode != 0) != (status != 0):
        tap.fail(f"{kind} {retriever}: {done.returncode}\n{done.stdout}{done.stderr}")
    got = []
    for path in came.iterdir():
        got.append(path.read_bytes().partition(b"\n\n")[2])
        path.unlink()
    return got, done.stdout + done.stderr


def came_whole(got, bodies):
    expect_equal(sorted(got), sorted(b.replace(b"\r\n", b"\n") for b in bodies))


@test
def by_pop3():
    fill(*BODIES)
    came_whole(getmail("SimplePOP3SSLRetriever", "pop3s", delete=False, read_all=False)[0], BODIES)
    expect_equal(count(), 4, "kept")
    came_whole(getmail("SimplePOP3SSLRetriever", "pop3s", delete=False, read_all=False)[0], [])
    fill(b"new\r\n")
    came_whole(getmail("SimplePOP3SSLRetriever", "pop3s", delete=False, read_all=False)[0],
               [b"new\r\n"])
    came_whole(getmail("SimplePOP3SSLRetriever", "pop3s")[0], BODIES + [b"new\r\n"])
    expect_equal(count(), 0, "left behind")


@test
def by_imap():
    fill(*BODIES)
    came_whole(getmail("SimpleIMAPSSLRetriever", "imaps")[0], BODIES)
    expect_equal(count(), 0, "left behind")


@test
def with_a_token():
    command = folder / "token"
    for seconds, status in ((300, 0), (-3600, 1)):
        fill(BODIES[0])
        (folder / "bearer").write_text(tokens.token(f"alice@{DOMAIN}", seconds))
        command.write_text(f"#!/bin/sh\nexec cat {folder}/bearer\n")
        command.chmod(0o700)
        got, said = getmail("SimpleIMAPSSLRetriever", "imaps", "use_xoauth2 = True",
                            f'password_command = ("{command}",)', status=status)
        came_whole(got, [] if status else BODIES[:1])
        expect(PASSWORD not in said)


@test
def refused():
    for kind, service in (("SimplePOP3SSLRetriever", "pop3s"), ("SimpleIMAPSSLRetriever", "imaps")):
        getmail(kind, service, status=1, password="wrong")


def finish():
    server.remove()
    shutil.rmtree(folder, ignore_errors=True)


tap.finish(finish)

#!/usr/bin/python3
"""offlineimap3 keeps a Maildir and a mailbox the same, both ways: messages, flags, folders, deletions; with
a password and with a bearer token."""

import pathlib
import shutil
import subprocess
import tempfile

from harness import bourse, issuer, mail, tap
from harness.bourse import DOMAIN, PASSWORD
from harness.tap import expect, expect_equal, test

if not shutil.which("offlineimap"):
    print("1..1\nok 1 - offlineimap # SKIP offlineimap3 is not installed")
    raise SystemExit(0)

folder = pathlib.Path(tempfile.mkdtemp(prefix="bourse-offlineimap-"))
tokens = issuer.Issuer(folder)
server = bourse.Server(["alice"], settings={"auth": tokens.settings()}).start()
local = folder / "mail"


def sync(*remote, status=0):
    _host, port = server.address("imaps")
    if not remote:
        remote = (f"remotepass = {PASSWORD}", "auth_mechanisms = PLAIN")
    rc = folder / "rc"
    rc.write_text("\n".join([
        "[general]", "accounts = a", f"metadata = {folder}/state", "ui = quiet", "fsync = False",
        "[Account a]", "localrepository = l", "remoterepository = r",
        "[Repository l]", "type = Maildir", f"localfolders = {local}", "sep = /",
        "[Repository r]", "type = IMAP", "remotehost = localhost", f"remoteport = {port}",
        f"remoteuser = alice@{DOMAIN}", "ssl = yes", f"sslcacertfile = {server.ca}",
        "folderfilter = lambda name: name in ('INBOX', 'Work', 'Work/Deep', 'Local')",
        *remote, ""]))
    done = subprocess.run(["offlineimap", "-c", str(rc), "-o", "-1"], capture_output=True, text=True,
                          errors="replace", check=False, timeout=120, stdin=subprocess.DEVNULL)
    said = done.stdout + done.stderr
    if (done.returncode != 0) != (status != 0):
        tap.fail(f"offlineimap: {done.returncode}\n{said[-4000:]}")
    return said


def files(name):
    found = {}
    for sub in ("cur", "new"):
        for path in (local / name / sub).iterdir():
            text = path.read_bytes().replace(b"\r\n", b"\n")
            subject = next(l for l in text.split(b"\n") if l.startswith(b"Subject: "))
            found[subject[9:].decode()] = path
    return found


def remote_subjects(name):
    with server.imap("alice") as imap:
        imap.select(name)
        found = {}
        for uid_flags in imap.ok("FETCH 1:* (FLAGS BODY.PEEK[HEADER.FIELDS (SUBJECT)])"):
            text = uid_flags.decode()
            if "Subject: " in text:
                found[text.split("Subject: ")[1].split("\r\n")[0]] = text
        return found


@test
def down():
    with server.imap("alice") as imap:
        imap.ok("CREATE Work")
        imap.ok("CREATE Work/Deep")
        for n in range(20):
            imap.append("INBOX", mail.simple_message(f"inbox {n}"), "\\Seen" if n % 2 else "")
        imap.append("Work/Deep", mail.simple_message("deep"))
    sync()
    got = files("INBOX")
    expect_equal(len(got), 20, "messages")
    expect(got["inbox 1"].name.endswith("S"), "a flag")
    expect(not got["inbox 0"].name.endswith("S"), "no flag")
    expect_equal(list(files("Work/Deep")), ["deep"])


@test
def up():
    target = local / "INBOX" / "new" / "1700000000.1_1.local"
    target.write_bytes(mail.simple_message("from here").replace(b"\r\n", b"\n"))
    got = files("INBOX")
    path = got["inbox 0"]
    base = path.name.split(":")[0]
    path.rename(path.parent.parent / "cur" / f"{base}:2,FS")  # read and flagged here
    got["inbox 5"].unlink()  # deleted here
    sync()
    there = remote_subjects("INBOX")
    expect("from here" in there, "a message made here")
    expect("\\Flagged" in there["inbox 0"] and "\\Seen" in there["inbox 0"], there["inbox 0"])
    expect("inbox 5" not in there, "deleted here")


@test
def both_ways():
    with server.imap("alice") as imap:
        imap.select()
        imap.ok("STORE 2 +FLAGS (\\Answered)")
        imap.append("INBOX", mail.simple_message("late"))
    path = files("INBOX")["inbox 8"]
    path.unlink()
    sync()
    sync()
    here, there = files("INBOX"), remote_subjects("INBOX")
    expect_equal(sorted(here), sorted(there), "both sides")
    expect("late" in here and "inbox 8" not in there)
    expect("R" in here["inbox 1"].name.split(":2,")[1], "answered there")


@test
def with_a_token():
    with server.imap("alice") as imap:
        imap.append("INBOX", mail.simple_message("by token"))
    token = tokens.token(f"alice@{DOMAIN}")
    sync("auth_mechanisms = XOAUTH2", f"oauth2_access_token = {token}")
    expect("by token" in files("INBOX"), "nothing came by token")
    late = tokens.token(f"alice@{DOMAIN}", -3600)
    sync("auth_mechanisms = XOAUTH2", f"oauth2_access_token = {late}", status=1)


def finish():
    server.remove()
    shutil.rmtree(folder, ignore_errors=True)


tap.finish(finish)

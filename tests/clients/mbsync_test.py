#!/usr/bin/python3
"""isync's mbsync, both ways: the server's mail comes down, mail and flags put into the Maildir go up,
deletions travel both ways, and a second run changes nothing."""

import os
import pathlib
import shutil
import subprocess
import tempfile

from harness import mail, standin, tap
from harness.tap import expect, expect_equal, test

server = standin.server(["alice"]).start()
folder = pathlib.Path(tempfile.mkdtemp(prefix="bourse-mbsync-"))
maildir = folder / "mail"
maildir.mkdir()
host, port = server.address("imap")
(folder / "mbsyncrc").write_text(f"""
IMAPAccount test
Host {host}
Port {port}
User {standin.login_name("alice")}
Pass "{server.password("alice")}"
SSLType None
AuthMechs LOGIN

IMAPStore far
Account test

MaildirStore near
Path {maildir}/
Inbox {maildir}/INBOX
SubFolders Verbatim

Channel all
Far :far:
Near :near:
Patterns INBOX Filed*
Create Both
Remove Both
Expunge Both
SyncState *
Sync All
CopyArrivalDate yes
""")


def sync():
    done = subprocess.run(["mbsync", "-c", str(folder / "mbsyncrc"), "-V", "all"], check=False,
                          capture_output=True, text=True, errors="replace", timeout=120,
                          env={**os.environ, "HOME": str(folder)})
    expect_equal(done.returncode, 0, "mbsync: " + done.stderr[-2000:] + done.stdout[-500:])
    return done.stdout + done.stderr


def local(name="INBOX"):
    """{content: path} of a Maildir folder, LF line ends as mbsync writes them."""
    base = maildir / name
    paths = [p for sub in ("cur", "new") for p in (base / sub).iterdir()] if base.exists() else []
    return {p.read_bytes(): p for p in paths}


@test
def mail_comes_down():
    for i in range(20):
        server.deliver("alice", mail.simple_message(f"down {i}"))
    server.wait_for_messages("alice", 20)
    sync()
    expect_equal(len(local()), 20, "messages in the Maildir")
    with server.imap() as imap:
        imap.select()
        remote = {body.replace(b"\r\n", b"\n") for body in imap.fetch_bodies().values()}
    got = {b"\n".join(l for l in body.split(b"\n") if not l.startswith(b"X-TUID:"))
           for body in local()}
    expect_equal(got, remote)


@test
def mail_goes_up():
    for i in range(10):
        body = mail.simple_message(f"up {i}").replace(b"\r\n", b"\n")
        (maildir / "INBOX" / "cur" / f"170000000{i}.M{i}.host:2,S").write_bytes(body)
    sync()
    with server.imap() as imap:
        expect_equal(imap.select(), 30)
        seen = [f for f in imap.fetch_flags().values() if "\\Seen" in f]
        expect_equal(len(seen), 10, "seen messages")


@test
def flags_travel_both_ways():
    with server.imap() as imap:
        imap.select()
        imap.ok("UID STORE 1:5 +FLAGS (\\Flagged)")
    done = 0
    for path in sorted(local().values()):
        name, _, flags = path.name.partition(":2,")
        if "S" not in flags and "F" not in flags and done < 3:
            path.rename(path.parent.parent / "cur" / f"{name}:2,{''.join(sorted(flags + 'R'))}")
            done += 1
    sync()
    expect_equal(sum("F" in p.name.partition(":2,")[2] for p in local().values()), 5, "flagged here")
    with server.imap() as imap:
        imap.select()
        answered = [f for f in imap.fetch_flags().values() if "\\Answered" in f]
        expect_equal(len(answered), 3, "answered there")


@test
def deletions_travel_both_ways():
    victims = [p for p in sorted(local().values()) if "S" in p.name.partition(":2,")[2]][:4]
    for path in victims:
        path.unlink()
    with server.imap() as imap:
        imap.select()
        imap.ok("UID STORE 6:8 +FLAGS (\\Deleted)")
        imap.ok("EXPUNGE")
    sync()
    with server.imap() as imap:
        expect_equal(imap.select(), 23)
    expect_equal(len(local()), 23)


@test
def folders_travel_both_ways():
    with server.imap() as imap:
        imap.ok('CREATE "Filed"')
        imap.append("Filed", mail.simple_message("archived there"))
    made = maildir / "Filed2023"
    for sub in ("cur", "new", "tmp"):
        (made / sub).mkdir(parents=True)
    (made / "cur" / "1700000100.M1.host:2,").write_bytes(b"Subject: archived here\n\nx\n")
    sync()
    expect_equal(len(local("Filed")), 1)
    with server.imap() as imap:
        expect_equal(imap.select("Filed2023"), 1)


@test
def a_second_run_changes_nothing():
    before = {c: p.name for c, p in local().items()}
    with server.imap() as imap:
        imap.select()
        far = imap.fetch_flags()
    sync()
    expect_equal({c: p.name for c, p in local().items()}, before)
    with server.imap() as imap:
        imap.select()
        expect_equal(imap.fetch_flags(), far)


def finish():
    shutil.rmtree(folder, ignore_errors=True)
    server.remove()


tap.finish(finish)

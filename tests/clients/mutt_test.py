#!/usr/bin/python3
"""mutt in batch mode: opens the mailbox, tags by pattern, flags, saves to another folder, deletes and
syncs, driven by pushed keys."""

import os
import pathlib
import shutil
import subprocess
import tempfile

from harness import mail, standin, tap
from harness.tap import expect, expect_equal, test

server = standin.server(["alice"]).start()
home = pathlib.Path(tempfile.mkdtemp(prefix="bourse-mutt-"))
host, port = server.address("imap")
USER = standin.login_name("alice").replace("@", "%40")
URL = f"imap://{USER}@{host}:{port}"


def mutt(keys, folder="INBOX"):
    """Runs mutt on the folder with pushed keys; they must end with leaving it."""
    (home / "muttrc").write_text(f"""
set imap_pass="{server.password('alice')}"
set imap_authenticators="login"
set ssl_starttls=no
set ssl_force_tls=no
set folder="{URL}/"
set spoolfile="{URL}/INBOX"
set header_cache=
set quit=yes
set delete=yes
set move=no
set mark_old=no
set confirmappend=no
set confirmcreate=no
set wait_key=no
set sleep_time=0
set beep=no
push "{keys}"
""")
    done = subprocess.run(["script", "-qec", f"mutt -n -F {home}/muttrc -f '{URL}/{folder}'",
                           "/dev/null"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, check=False,
                          stderr=subprocess.STDOUT, timeout=60,
                          env={**os.environ, "HOME": str(home), "TERM": "xterm",
                               "LC_ALL": "C.UTF-8"})
    expect_equal(done.returncode, 0, "mutt: " + done.stdout[-1000:].decode(errors="replace"))
    return done.stdout.decode(errors="replace")


@test
def mutt_shows_the_messages():
    for i in range(6):
        server.deliver("alice", mail.simple_message(f"letter {i}", body=f"Text of {i}.\r\n"))
    server.wait_for_messages("alice", 6)
    screen = mutt("<display-message><exit><exit>")
    expect("letter" in screen, screen[-1500:])


@test
def mutt_flags_by_pattern():
    mutt("<tag-pattern>~s 'letter [135]'<enter><tag-prefix><flag-message><sync-mailbox><exit>")
    with server.imap() as imap:
        imap.select()
        flagged = sorted(uid for uid, f in imap.fetch_flags().items() if "\\Flagged" in f)
        expect_equal(len(flagged), 3)


@test
def mutt_saves_to_another_folder():
    with server.imap() as imap:
        imap.ok('CREATE "Letters"')
    mutt("<tag-pattern>~s 'letter [45]'<enter><tag-prefix><save-message>=Letters<enter>"
         "<sync-mailbox><exit>")
    with server.imap() as imap:
        expect_equal(imap.select("Letters"), 2)
        subjects = b"".join(imap.fetch_bodies().values())
        expect(b"letter 4" in subjects and b"letter 5" in subjects, subjects)
        expect_equal(imap.select("INBOX"), 4)


@test
def mutt_deletes():
    mutt("<delete-pattern>~s 'letter 0'<enter><sync-mailbox><exit>")
    with server.imap() as imap:
        expect_equal(imap.select(), 3)


@test
def mutt_searches_bodies_on_the_server():
    mutt("<tag-pattern>=b 'Text of 2'<enter><tag-prefix><flag-message><sync-mailbox><exit>")
    with server.imap() as imap:
        imap.select()
        body = [uid for uid, f in imap.fetch_flags().items() if "\\Flagged" in f]
        expect_equal(len(body), 3, "1, 3 and now 2")


def finish():
    shutil.rmtree(home, ignore_errors=True)
    server.remove()


tap.finish(finish)

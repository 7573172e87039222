#!/usr/bin/python3
"""A full disk (a small tmpfs): temporary errors of the protocol, no crash, nothing acknowledged lost,
and all works again once there is room."""

import os
import pathlib
import subprocess
import tempfile
import time

from harness import bourse, mail, tap
from harness.tap import expect, expect_equal, test

mount = pathlib.Path(tempfile.mkdtemp(prefix="bourse-full-"))
mounted = os.getuid() == 0 and subprocess.run(
    ["mount", "-t", "tmpfs", "-o", "size=96m", "tmpfs", str(mount)], check=False,
    capture_output=True).returncode == 0
state = {}


def server():
    if not mounted:
        tap.skip("mounting a tmpfs is not permitted here")
    if "server" not in state:
        state["server"] = bourse.Server(["alice", "bob"], folder=mount).start()
        state["acknowledged"] = set()
    return state["server"]


def message(subject, size=50_000):
    return mail.simple_message(subject, body=("z" * 70 + "\r\n") * (size // 72))


def fill(leave):
    """A file over all but `leave` bytes."""
    with open(mount / "filler", "ab") as out:
        while True:
            free = os.statvfs(mount).f_bavail * os.statvfs(mount).f_frsize
            if free <= leave:
                return
            try:
                out.write(b"\0" * min(1 << 20, free - leave))
                out.flush()
            except OSError:
                return


@test
def smtp_answers_with_a_temporary_error():
    s = server()
    s.deliver("alice", message("before"))
    state["acknowledged"].add("before")
    s.wait_for_messages("alice", 1)
    # Opening a mailbox that nobody uses takes 32 KiB of disk (SQLite's index of the WAL): bob is at work
    # when the disk fills up.
    state["bob"] = s.imap("bob")
    state["bob"].select()
    fill(1_500_000)
    refused = 0
    with s.smtp() as smtp:
        smtp.ehlo()
        for i in range(200):
            subject = f"full-{i}"
            code, _ = smtp.command("MAIL FROM:<a@remote.test>")
            if code == 250:
                smtp.expect(250, "RCPT TO:<alice@example.test>")
                code, _ = smtp.command("DATA")
                if code == 354:
                    smtp.send(mail.dot_stuffed(message(subject)))
                    code, _ = smtp.reply()
                    if code == 250:
                        state["acknowledged"].add(subject)
                        continue
            expect(400 <= code < 500, f"a full disk is temporary, got {code}")
            refused += 1
            smtp.command("RSET")
            if refused > 5:
                break
    expect(refused > 0, "the disk never became full")
    s.check_alive()


@test
def imap_says_no_and_the_connection_goes_on():
    s = server()
    with state["bob"] as imap:
        answers = set()
        body = message("for bob")
        for _ in range(40):
            tag = imap.start(f"APPEND INBOX {{{len(body)}}}")
            line = imap.response()
            while line.startswith(b"*"):
                line = imap.response()
            if line.startswith(b"+"):
                imap.send(body + b"\r\n")
                status, _, _ = imap.finish(tag)
            else:
                status = line.split()[1].decode()
            answers.add(status)
            if status != "OK":
                break
        expect("NO" in answers, f"a full disk: {answers}")
        imap.ok("NOOP")
        imap.select()
        status, _, _ = imap.command("STORE 1:* +FLAGS (\\Seen)")
        expect(status in ("OK", "NO"), status)
    s.check_alive()


@test
def all_works_again_with_room():
    s = server()
    (mount / "filler").unlink()
    time.sleep(0.5)
    s.deliver("alice", message("after"))
    state["acknowledged"].add("after")
    s.run("queue", "retry", s.dir, check=False)
    s.wait_for_messages("alice", len(state["acknowledged"]), seconds=60)
    with s.imap() as imap:
        n = imap.select()
        bodies = imap.fetch_bodies()
    have = {b.split(b"Subject: ", 1)[1].split(b"\r\n", 1)[0].decode() for b in bodies.values()}
    lost = state["acknowledged"] - have
    expect(not lost, f"acknowledged but lost: {sorted(lost)[:5]}")
    expect_equal(n, len(have), "doubled messages")


@test
def a_restart_on_a_full_disk_keeps_everything():
    s = server()
    fill(0)
    s.kill()
    try:
        s.start()
    except tap.Failure:
        s.process = None  # it may refuse to start, but must say so and lose nothing
    (mount / "filler").unlink()
    if not s.process:
        s.start()
    with s.imap() as imap:
        expect(imap.select() >= len(state["acknowledged"]), "messages lost")
    s.stop()
    s.run("check", s.dir)


def finish():
    if "server" in state:
        state["server"].remove()
    if mounted:
        subprocess.run(["umount", str(mount)], check=False)
    mount.rmdir()


tap.finish(finish)

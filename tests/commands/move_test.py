#!/usr/bin/python3
"""`bourse move`: mailboxes between databases while mail arrives and clients read: nothing lost, nobody
disconnected; killed at random moments, then restarted."""

import itertools
import subprocess
import threading
import time

from harness import bourse, mail, tap
from harness.bourse import DOMAIN
from harness.tap import expect, expect_equal, test

ALICE = f"alice@{DOMAIN}"
server = bourse.Server(["alice", "bob"], settings={"store": {"databases": "second=second, third=third"}})
DIR = server.dir
sent = []  # what was acknowledged
numbers = itertools.count()


def message(subject, size=3000):
    return mail.simple_message(subject, body=("z" * 70 + "\r\n") * (size // 72))


def places():
    """The folders that have a file of Alice's mailbox (and no word that it has moved away)."""
    guid = server.json("user", "show", DIR, ALICE)["guid"]
    return [d for d in ("store", "second", "third")
            if (DIR / d / f"{guid}.mbx").exists() and not (DIR / d / f"{guid}.moved").exists()]


class Deliverer(threading.Thread):
    """Delivers until it is told to stop or the server goes away."""

    def __init__(self):
        super().__init__()
        self.stopping = threading.Event()

    def run(self):
        while not self.stopping.is_set():
            try:
                with server.smtp(timeout=20) as smtp:
                    smtp.ehlo()
                    for _ in range(10):
                        # A number of its own each time: one that was accepted while the server was
                        # killed, before it could say so, is not sent again.
                        number = next(numbers)
                        smtp.send_message("a@remote.test", [ALICE], message(f"number {number}"))
                        sent.append(number)
                        if self.stopping.is_set():
                            break
            except (OSError, mail.Closed, tap.Failure):
                if not self.stopping.is_set():
                    time.sleep(0.02)

    def end(self):
        self.stopping.set()
        self.join()


def expect_all():
    with server.imap() as imap:
        end = time.monotonic() + 60
        while imap.status("INBOX", "MESSAGES")["MESSAGES"] < len(sent) and time.monotonic() < end:
            time.sleep(0.05)
        imap.select()
        bodies = imap.fetch_bodies().values()
    have = [b.split(b"Subject: ", 1)[1].split(b"\r\n", 1)[0].decode() for b in bodies]
    lost = {f"number {i}" for i in sent} - set(have)
    expect(not lost, f"lost: {sorted(lost)[:5]}")
    expect_equal(len(have), len(set(have)), "doubled messages")


@test
def under_load_with_clients():
    server.start()
    deliverer = Deliverer()
    deliverer.start()
    with server.imap() as reader, server.imap() as idler:
        reader.select()
        idler.select()
        tag = idler.start("IDLE")
        idler.response()
        for to in ("second", "third", "default", "second"):
            moved = server.json("move", DIR, ALICE, "--to", to)
            moved = moved[0] if isinstance(moved, list) else moved
            expect_equal(moved["to"], to, "moved")
            reader.ok("NOOP")
            reader.ok("FETCH 1:* (FLAGS RFC822.SIZE)")
            reader.ok("STORE 1 +FLAGS (\\Flagged)")
        deliverer.end()
        count = len(sent)
        expect(count > 10, "too little load")
        idler.send(b"DONE\r\n")
        status, _, _ = idler.finish(tag)
        expect_equal(status, "OK", "the idle client is still there")
        reader.ok("FETCH 1:* BODY.PEEK[]")
    expect_all()
    expect_equal(places(), ["second"], "one file")
    server.run("check", DIR, "--contents")


@test
def usage():
    done = server.run("move", DIR, ALICE, "--to", "nowhere", check=False)
    expect_equal(done.returncode, 1, done.stderr)
    expect("[store] databases" in done.stderr, done.stderr)
    done = server.run("move", DIR, "nobody@" + DOMAIN, "--to", "third", check=False)
    expect_equal(done.returncode, 1, done.stderr)
    server.run("move", DIR, ALICE, f"bob@{DOMAIN}", "--to", "second")


@test
def killed_in_the_middle():
    tour = ["third", "default", "second"]
    for i in range(3):
        deliverer = Deliverer()
        deliverer.start()
        time.sleep(0.2)
        process = subprocess.Popen([str(server.binary), "move", str(DIR), ALICE, "--to", tour[i % 3]],
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                   env=server.environment)
        time.sleep(0.05 + 0.11 * i)
        server.kill()
        deliverer.end()
        process.wait()
        server.start()
        expect_equal(len(places()), 1, "files of the mailbox")
        server.run("move", DIR, ALICE, "--to", tour[i % 3])
    expect_all()
    server.stop()
    server.run("check", DIR, "--contents")


tap.finish(server.remove)

#!/usr/bin/python3
"""The ThreadSanitizer build under 64 connections at once that deliver, read (compressed and not), flag,
move and expunge in the same and in different mailboxes, and that send to a neighbour, while the
DNS is asked about every stranger; not one data race, and the mailboxes add up.

THREADS_SECONDS: how long (25)."""

import os
import random
import re
import threading
import time

from harness import bourse, mail, outbound, tap
from harness.dns import NameServer, Zone
from harness.neighbour import Neighbour
from harness.tap import expect, expect_equal, test

SECONDS = float(os.environ.get("THREADS_SECONDS", "25"))
USERS = ["shared", "u1", "u2", "u3"]
peer = Neighbour()
names = NameServer({"remote.test": Zone('@ MX 10 mx\nmx A 127.0.0.1\n@ TXT "v=spf1 ip4:127.0.0.0/8 -all"\n'
                                        '_dmarc TXT "v=DMARC1; p=none"\n')}).start()
server = bourse.Server(USERS, build="tsan", settings={
    "transport": {"routes": f"peer.test=127.0.0.1:{peer.address[1]}", "retry": "1s", "retry_max": "2s"},
    "dns": names.settings()}).start()
stop = threading.Event()
errors = []
done = {"deliver": 0, "read": 0, "flag": 0, "expunge": 0, "idle": 0, "send": 0}
sent = []  # subjects, to the neighbour
delivered = {u: [] for u in USERS}  # subjects
lock = threading.Lock()


def pick(i):
    """Half of the connections meet in one mailbox."""
    return USERS[0] if i % 2 else USERS[1 + i // 2 % 3]


def deliver(i, r):
    with server.smtp(timeout=120) as smtp:
        smtp.ehlo()
        while not stop.is_set():
            user = pick(i)
            both = r.random() < 0.2
            to = sorted({user, USERS[0]} if both else {user})
            subject = f"t{i}-{r.random()}"
            smtp.send_message("s@remote.test", [f"{u}@example.test" for u in to],
                              mail.simple_message(subject, body="x" * r.randrange(20000)))
            with lock:
                for u in to:
                    delivered[u].append(subject)
                done["deliver"] += 1


def send(i, r):
    while not stop.is_set():
        subject = f"s{i}-{r.random()}"
        user = pick(i)
        message = mail.simple_message(subject, sender=f"{user}@example.test", recipient="joe@peer.test",
                                      body="x" * r.randrange(20000))
        outbound.submit(server, ["joe@peer.test"], message, sender=user)
        with lock:
            sent.append(subject)
            done["send"] += 1


def read(i, r):
    with server.imap(pick(i), timeout=120) as imap:
        if i % 3 == 0:
            imap.ok("COMPRESS DEFLATE")
            imap.start_deflate()
        while not stop.is_set():
            imap.select(r.choice(["INBOX", "INBOX", "Moved"]))
            imap.command("FETCH 1:* (FLAGS ENVELOPE BODYSTRUCTURE RFC822.SIZE)")
            imap.command("FETCH *:* (BODY.PEEK[])")
            imap.command("SEARCH TEXT t1")
            imap.command('LIST "" "*"')
            done["read"] += 1


def flag(i, r):
    with server.imap(pick(i), timeout=120) as imap:
        imap.select()
        while not stop.is_set():
            sign = r.choice("+-")
            imap.command(f"STORE 1:20 {sign}FLAGS ({r.choice(['Seen', 'Flagged']).join([chr(92), ''])})")
            imap.command(f"STORE * {sign}FLAGS (k{r.randrange(10)})")
            imap.command("NOOP")
            done["flag"] += 1


def expunge(i, r):
    """Moves messages away and expunges what it appended itself, so that deliveries can be counted."""
    with server.imap(pick(i), timeout=120) as imap:
        imap.select()
        while not stop.is_set():
            uid = imap.append("INBOX", mail.simple_message(f"own{i}-{r.random()}"))
            imap.command(f"UID STORE {uid} +FLAGS.SILENT (\\Deleted)")
            imap.command(f"UID EXPUNGE {uid}")
            imap.command(f"UID MOVE {r.randrange(1, 200)} Moved")
            imap.command(f"CREATE f{i}")
            imap.command(f"RENAME f{i} g{i}")
            imap.command(f"DELETE g{i}")
            done["expunge"] += 1


def idle(i, r):
    with server.imap(pick(i), timeout=120) as imap:
        imap.select()
        while not stop.is_set():
            tag = imap.idle()
            time.sleep(r.random() * 0.2)
            imap.done(tag)
            done["idle"] += 1


def guarded(work, i):
    try:
        work(i, random.Random(i))
    except Exception as error:  # pylint: disable=broad-except
        errors.append(f"{work.__name__} {i}: {type(error).__name__} {error}")


@test
def sixty_four_connections():
    for user in USERS:
        with server.imap(user) as imap:
            imap.ok("CREATE Moved")
    works = [deliver] * 17 + [send] * 5 + [read] * 14 + [flag] * 11 + [expunge] * 10 + [idle] * 7
    threads = [threading.Thread(target=guarded, args=(w, i), daemon=True)
               for i, w in enumerate(works)]
    for thread in threads:
        thread.start()
    time.sleep(SECONDS)
    stop.set()
    for thread in threads:
        thread.join(120)
    tap.note(", ".join(f"{n} {name}" for name, n in done.items()))
    expect(not errors, f"{len(errors)} clients failed: {errors[:3]}")
    expect(all(done.values()), f"one kind did nothing: {done}")


def subjects(user):
    """The subjects of all that was delivered to the user. Others are passed over: one client may have
    moved away what another appended, before that one could expunge it."""
    found = []
    with server.imap(user, timeout=120) as imap:
        for folder in ("INBOX", "Moved"):
            if imap.select(folder) > 0:
                lines = imap.ok("FETCH 1:* (BODY.PEEK[HEADER.FIELDS (SUBJECT)])")
                found += re.findall(rb"Subject: (t\d+-[\d.e-]+)\r", b"".join(lines))
    return sorted(f.decode() for f in found)


@test
def every_delivery_is_there_once():
    end = time.monotonic() + 60
    for user in USERS:
        have, expected = subjects(user), sorted(delivered[user])
        while len(have) < len(expected) and time.monotonic() < end:
            time.sleep(0.2)
            have = subjects(user)
        missing, surplus = set(expected) - set(have), sorted(set(s for s in have if have.count(s) > 1))
        expect(not missing, f"{user}: {len(missing)} deliveries are missing: {sorted(missing)[:3]}")
        expect(not surplus, f"{user}: delivered twice: {surplus[:3]}")
        expect_equal(len(have), len(expected), f"messages of {user}")


@test
def everything_sent_arrived():
    outbound.wait_until_empty(server)
    came = {m[1].decode() for message in peer.messages
            if (m := re.search(rb"Subject: (s\d+-[\d.e-]+)\r", message.data))}
    expect_equal(len(set(sent) - came), 0, "messages that the neighbour did not get")


@test
def no_data_race():
    server.stop()  # looks at the output and the exit status
    server.run("check", server.dir)


def finish():
    server.remove()
    names.stop()
    peer.stop()


tap.finish(finish)

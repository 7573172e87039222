#!/usr/bin/python3
"""kill -9 at random moments under load, again and again: nothing acknowledged is lost or undone,
nothing is half-written or doubled, and `bourse check` finds nothing.

Six clients write down what the server acknowledged; after each kill and restart the mailboxes must
agree with their books. KILL_ROUNDS: how often (25; 200 with BOURSE_LONG=1). KILL_SEED: the dice."""

import collections
import os
import random
import re
import threading
import time

from harness import bourse, mail, tap
from harness.tap import expect, test

ROUNDS = int(os.environ.get("KILL_ROUNDS", "200" if os.environ.get("BOURSE_LONG") else "25"))
SEED = int(os.environ.get("KILL_SEED", str(random.randrange(1 << 30))))
FLAGGED = 40  # messages of the flag test

server = bourse.Server(["alice", "bob", "carol"], build="plain")
dice = random.Random(SEED)


def message(subject):
    """A message whose every byte follows from its subject; of very different sizes."""
    r = random.Random(subject)
    size = r.choice([10, 100, 1000, 10_000, 100_000])
    body = "".join(f"{subject} {r.random():.12f} {i}\r\n" for i in range(size // 40 + 1))
    return mail.simple_message(subject, body=body)


class Book:
    """What one client was told."""

    def __init__(self):
        self.acknowledged = set()
        self.started = set()
        self.flags = {}  # uid -> last acknowledged state
        self.flag_in_flight = None  # (uid, wanted)
        self.expunge_started = set()
        self.expunged = set()
        self.errors = []


book = {name: Book() for name in ("smtp0", "smtp1", "smtp2", "append", "flags", "expunge")}
crashing = threading.Event()


def client(work, name, round_number):
    def run():
        try:
            work(book[name], name, round_number)
        except (mail.Closed, OSError):
            pass
        except Exception as error:  # pylint: disable=broad-except
            # While the server is being killed any answer may be cut short.
            if not crashing.is_set():
                book[name].errors.append(f"{name}: {type(error).__name__} {error}")

    return threading.Thread(target=run, daemon=True)


def deliver(me, name, round_number):
    user = {"smtp0": "alice", "smtp1": "alice", "smtp2": "bob"}[name]
    smtp = server.smtp(timeout=30)
    smtp.ehlo()
    for i in range(100_000):
        subject = f"r{round_number}-{name}-{i}"
        text = message(subject)
        me.started.add((user, subject))
        smtp.send_message("sender@remote.test", [f"{user}@example.test"], text)
        me.acknowledged.add((user, subject))


def append(me, name, round_number):
    imap = server.imap("carol", timeout=30)
    for i in range(100_000):
        subject = f"r{round_number}-{name}-{i}"
        me.started.add(("carol", subject))
        imap.append("INBOX", message(subject), "\\Seen" if i % 2 else "")
        me.acknowledged.add(("carol", subject))


def flag(me, _name, round_number):
    r = random.Random(f"{SEED} {round_number}")
    imap = server.imap("carol", timeout=30)
    imap.select("Flags")
    while True:
        uid = r.randrange(1, FLAGGED + 1)
        wanted = frozenset(r.sample(["\\Seen", "\\Flagged", "\\Answered", "$Kept"], r.randrange(5)))
        me.flag_in_flight = (uid, wanted)
        imap.ok(f"UID STORE {uid} FLAGS.SILENT ({' '.join(wanted)})")
        me.flags[uid] = wanted
        me.flag_in_flight = None


def expunge(me, name, round_number):
    imap = server.imap("bob", timeout=30)
    imap.select("Churn")
    for i in range(100_000):
        subject = f"r{round_number}-{name}-{i}"
        me.started.add(("churn", subject))
        uid = imap.append("Churn", message(subject))
        me.acknowledged.add(("churn", subject))
        if i % 3:
            me.expunge_started.add(subject)
            imap.ok(f"UID STORE {uid} +FLAGS.SILENT (\\Deleted)")
            imap.ok(f"UID EXPUNGE {uid}")
            me.expunged.add(subject)


WORK = {"smtp0": deliver, "smtp1": deliver, "smtp2": deliver, "append": append, "flags": flag,
        "expunge": expunge}


def contents(user, folder):
    """subject -> how often, having compared every message with what it must be."""
    count = collections.Counter()
    with server.imap(user, timeout=120) as imap:
        imap.select(folder)
        for seq, body in imap.fetch_bodies().items():
            match = re.search(rb"(?m)^Subject: (\S+)", body)
            expect(match, f"message {seq} of {user} {folder} has no subject: {body[:200]!r}")
            subject = match.group(1).decode()
            expect(body.endswith(message(subject)), f"{subject} in {user} {folder} is half-written")
            count[subject] += 1
    return count


def wait_for_delivery(user, wanted):
    """What was acknowledged sits in the queue or in the mailbox; wait until the queue is through."""
    end = time.monotonic() + 60
    while True:
        have = contents(user, "INBOX")
        if wanted <= set(have) or time.monotonic() > end:
            return have
        time.sleep(0.1)


def compare(place, have, started, acknowledged, gone=frozenset(), may_be_gone=frozenset()):
    lost = acknowledged - set(have) - may_be_gone - gone
    expect(not lost, f"{place}: {len(lost)} acknowledged messages lost: {sorted(lost)[:5]}")
    foreign = set(have) - started
    expect(not foreign, f"{place}: not sent by anyone: {sorted(foreign)[:5]}")
    doubled = {s: n for s, n in have.items() if n > 1}
    expect(not doubled, f"{place}: doubled: {dict(list(doubled.items())[:5])}")
    back = gone & set(have)
    expect(not back, f"{place}: expunged messages came back: {sorted(back)[:5]}")


def of(place, kind):
    return {s for b in book.values() for p, s in getattr(b, kind) if p == place}


def verify():
    for user in ("alice", "bob"):
        have = wait_for_delivery(user, of(user, "acknowledged"))
        compare(user, have, of(user, "started"), of(user, "acknowledged"))
    compare("carol", contents("carol", "INBOX"), of("carol", "started"), of("carol", "acknowledged"))
    me = book["expunge"]
    compare("churn", contents("bob", "Churn"), of("churn", "started"), of("churn", "acknowledged"),
            gone=me.expunged, may_be_gone=me.expunge_started)
    with server.imap("carol", timeout=60) as imap:
        imap.select("Flags")
        have = {uid: frozenset(f - {"\\Recent"}) for uid, f in imap.fetch_flags().items()}
    flags = book["flags"]
    for uid, wanted in flags.flags.items():
        if flags.flag_in_flight and flags.flag_in_flight[0] == uid:
            expect(have[uid] in (wanted, flags.flag_in_flight[1]), f"flags of {uid}: {have[uid]}, told "
                   f"{wanted}, in flight {flags.flag_in_flight[1]}")
        else:
            expect(have[uid] == wanted, f"flags of {uid}: {set(have[uid])}, told {set(wanted)}")
    # What is in flight at the next kill starts from what is there now.
    flags.flags = have
    flags.flag_in_flight = None


def start_over():
    """Empties the mailboxes, so that verifying does not become the test's whole time."""
    for user, folder in (("alice", "INBOX"), ("bob", "INBOX"), ("carol", "INBOX"), ("bob", "Churn")):
        with server.imap(user, timeout=120) as imap:
            if imap.select(folder):
                imap.ok("STORE 1:* +FLAGS.SILENT (\\Deleted)")
                imap.ok("EXPUNGE")
    for name in book:
        kept = book[name].flags
        book[name] = Book()
        book[name].flags = kept


@test
def nothing_acknowledged_is_lost_when_killed():
    tap.note(f"{ROUNDS} rounds, KILL_SEED={SEED}")
    server.start()
    with server.imap("carol") as imap:
        imap.ok("CREATE Flags")
        for i in range(FLAGGED):
            imap.append("Flags", message(f"flag-{i}"))
    with server.imap("bob") as imap:
        imap.ok("CREATE Churn")
    acknowledged = starts = 0
    for round_number in range(ROUNDS):
        crashing.clear()
        threads = [client(work, name, round_number) for name, work in WORK.items()]
        for thread in threads:
            thread.start()
        # Sometimes while the clients are still logging in, mostly in the middle of the work.
        time.sleep(dice.choice([0.05, 0.3]) + dice.random() * 1.2)
        crashing.set()
        server.kill()
        for thread in threads:
            thread.join(30)
        problems = [e for b in book.values() for e in b.errors]
        expect(not problems, f"round {round_number}: {problems[:3]}")
        if round_number % 5 == 0:  # as it lies there, before anything repairs it by opening it
            server.run("check", server.dir)
        if dice.random() < 0.2:  # killed again while it starts
            server.process = None
            import subprocess
            again = subprocess.Popen([str(server.binary), "serve", str(server.dir)],
                                     stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                     stderr=subprocess.DEVNULL, env=server.environment)
            time.sleep(dice.random() * 0.3)
            again.kill()
            again.wait()
        server.start()
        starts += 1
        verify()
        acknowledged += sum(len(b.acknowledged) for b in book.values())
        if round_number % 4 == 3:
            start_over()
    tap.note(f"{starts} kills survived; last start took {server.ready_seconds:.2f} s")
    expect(acknowledged > ROUNDS * 20, f"too little load to prove anything: {acknowledged}")


@test
def the_check_is_clean_afterwards():
    server.stop()
    server.run("check", server.dir)


def finish():
    server.remove()


tap.finish(finish)

#!/usr/bin/python3
"""The full-text index: IMAP searches find the same with and without it, it follows what is delivered,
and `bourse index` builds, shows and drops it."""

import random
import sys
import time

from harness import bourse, tap
from harness.bourse import DOMAIN
from harness.tap import expect, expect_equal, test

sys.path.insert(0, str(bourse.TOP / "tests" / "data"))
import generate  # noqa: E402  pylint: disable=wrong-import-position

ALICE = f"alice@{DOMAIN}"
MESSAGES = 150


def mailbox(index):
    """A server whose alice has the generated messages, with [store] index = ..."""
    server = bourse.Server(settings={"store": {"index": index}})
    folder = server.root / "mail"
    folder.mkdir()
    for name, message in generate.messages(MESSAGES):
        (folder / f"{name}.eml").write_bytes(message)
    server.run("import", server.dir, ALICE, folder, "--flat", "--quiet", check=False)
    return server


without = mailbox("off")
indexed = mailbox("always")


def status(server):
    rows = server.json("index", server.dir, ALICE, "--status")
    return rows[0] if isinstance(rows, list) else rows


def needles():
    """Parts of the texts the messages are made of, cut anywhere, and some that are nowhere."""
    chance = random.Random(7)
    texts = list(generate.CHARSETS.values()) + ["Subject", "multipart/mixed", "example.test", "<html>"]
    for _ in range(120):
        text = chance.choice(texts)
        start = chance.randrange(len(text))
        part = text[start:start + chance.randrange(1, 12)].strip()
        if not part:
            continue
        yield chance.choice([str, str.upper, str.lower])(part) + chance.choice(["", "", "", "qx"])


def search(imap, key, needle):
    data = needle.encode()
    imap.send(b"s1 UID SEARCH CHARSET UTF-8 %s {%d+}\r\n%s\r\n" % (key.encode(), len(data), data))
    found = None
    while True:
        line = imap.line()
        if line.startswith(b"* SEARCH"):
            found = line.split()[2:]
        elif line.startswith(b"s1 "):
            expect(line.startswith(b"s1 OK"), f"{key} {needle}: {line}")
            return found


@test
def offline_build():
    # Opened by a command, it may have been begun already.
    expect(status(indexed)["state"] in ("none", "behind", "complete"), status(indexed))
    rows = indexed.json("index", indexed.dir, ALICE)
    row = rows[0] if isinstance(rows, list) else rows
    expect_equal(row["state"], "complete")
    expect_equal(row["waiting"], 0)
    expect(row["messages"] > 100, row)
    indexed.run("check", indexed.dir)


@test
def the_same_with_and_without():
    without.start()
    indexed.start()
    expect_equal(status(without)["state"], "none")
    n_found = 0
    with without.imap() as a, indexed.imap() as b:
        a.select()
        b.select()
        for needle in needles():
            for key in ("BODY", "TEXT", "SUBJECT", "HEADER X-Mailer", "NOT BODY"):
                want, have = search(a, key, needle), search(b, key, needle)
                expect_equal(have, want, f"{key} {needle!r}")
                n_found += bool(want) and key != "NOT BODY"
        # Words: read from the messages in one, asked of the index in the other.
        for word in ("fox", "grosse", "großen", "SEÑOR", "видел", "你好", "здрав", "Quick Brown", "nowhere"):
            for key in ("FUZZY BODY", "FUZZY TEXT", "FUZZY SUBJECT", "NOT FUZZY TEXT"):
                expect_equal(search(b, key, word), search(a, key, word), f"{key} {word!r}")
        expect(search(b, "FUZZY TEXT", "señor"), "an accent too many")
        expect_equal(search(b, "FUZZY TEXT", "senor"), search(b, "FUZZY TEXT", "señor"))
    expect(n_found > 30, f"only {n_found} searches found something")
    expect_equal(status(without)["state"], "none")


@test
def follows_deliveries():
    before = status(indexed)["messages"]
    text = b"Subject: a late one\r\nFrom: a@remote.test\r\n\r\nxylophone music\r\n"
    indexed.deliver("alice", text)
    end = time.monotonic() + 30
    with indexed.imap() as imap:
        while True:
            imap.select()
            found = search(imap, "FUZZY BODY", "xylophone")
            if found:
                break
            expect(time.monotonic() < end, "the message never came")
            time.sleep(0.1)
        # Found at once by reading; soon it is in the index too.
        while status(indexed)["messages"] == before or status(indexed)["waiting"]:
            expect(time.monotonic() < end, f"not indexed: {status(indexed)}")
            time.sleep(0.1)
        expect_equal(search(imap, "FUZZY BODY", "xylophone"), found)


@test
def survives_a_kill():
    indexed.kill()
    indexed.start()
    with indexed.imap() as imap:
        imap.select()
        expect_equal(len(search(imap, "FUZZY BODY", "xylophone")), 1)
    indexed.run("check", indexed.dir)


@test
def rebuild_drop_and_errors():
    n = status(indexed)["messages"]
    indexed.run("index", indexed.dir, "--rebuild")
    expect_equal(status(indexed), {**status(indexed), "state": "complete", "messages": n, "gone": 0})
    indexed.run("index", indexed.dir, ALICE, "--drop")
    expect_equal(status(indexed)["state"], "none")
    with indexed.imap() as imap:
        imap.select()
        expect_equal(len(search(imap, "FUZZY BODY", "xylophone")), 1)
    expect_equal(indexed.run("index", indexed.dir, "nobody@nowhere.test", check=False).returncode, 1)
    expect_equal(indexed.run("index", indexed.dir, "--drop", "--rebuild", check=False).returncode, 2)
    expect("complete" in indexed.run("index", indexed.dir).stdout, "no table")
    indexed.run("check", indexed.dir)


def finish():
    without.remove()
    indexed.remove()


tap.finish(finish)

#!/usr/bin/python3
"""IMAP QUOTA as a client uses it (RFC 9208): what is used, what may be, and OVERQUOTA."""

import imaplib
import re

from harness import bourse, tap
from harness.bourse import DOMAIN, PASSWORD
from harness.tap import expect, expect_equal, test

server = bourse.Server(["alice", "bob"], settings={"limits": {"messages": "5"}})
ALICE = f"alice@{DOMAIN}"
server.run("user", "set", server.dir, ALICE, "--quota-receive", "64K")
server.start()
TEXT = b"From: a@b.test\r\nSubject: s\r\n\r\n" + (b"x" * 70 + b"\r\n") * 140  # about 10 KB


def connect(user=ALICE):
    client = imaplib.IMAP4(*server.address("imap"), timeout=60)
    client.login(user, PASSWORD)
    return client


def quota(client, name="INBOX"):
    """{"STORAGE": (used, limit), ...}"""
    status, (roots, quotas) = client.getquotaroot(name)
    expect_equal(status, "OK")
    expect(roots[0].endswith(b'""'), roots)
    text = quotas[0].decode()
    expect(text.startswith('"" ('), text)
    return {m[1]: (int(m[2]), int(m[3])) for m in re.finditer(r"(\S+) (\d+) (\d+)",
                                                              text[text.index("(") + 1:])}


@test
def capability_names_it():
    with connect() as client:
        text = client.capability()[1][0].decode().split()
        for word in ("QUOTA", "QUOTA=RES-STORAGE", "QUOTA=RES-MESSAGE"):
            expect(word in text, text)


@test
def use_grows_and_shrinks():
    with connect() as client:
        expect_equal(quota(client), {"STORAGE": (0, 64), "MESSAGE": (0, 5)})
        client.append("INBOX", None, None, TEXT)
        used, limit = quota(client)["STORAGE"]
        expect(10 <= used <= 11, f"{used} KiB used")
        expect_equal(limit, 64)
        expect_equal(quota(client, "Drafts")["MESSAGE"], (1, 5))
        status, data = client.getquota('""')
        expect_equal(status, "OK")
        expect(data[0].decode().startswith('"" (STORAGE '), data)
        client.select("INBOX")
        client.store("1", "+FLAGS", "\\Deleted")
        expect(b"DELETED 1 DELETED-STORAGE " in
               client.status("INBOX", "(DELETED DELETED-STORAGE)")[1][0])
        client.expunge()
        expect_equal(quota(client)["STORAGE"][0], 0, "what can be restored does not count")


@test
def unknown_roots_and_folders_are_refused():
    with connect() as client:
        expect_equal(client.getquota("other")[0], "NO")
        expect_equal(client.getquotaroot('"no such folder"')[0], "NO")


@test
def too_much_is_overquota():
    with connect() as client:
        results = [client.append("INBOX", None, None, TEXT * 2) for _ in range(4)]
        expect_equal([r[0] for r in results], ["OK", "OK", "OK", "NO"])
        expect(b"OVERQUOTA" in results[3][1][0], results[3])
        client.select("INBOX")
        copied = client.copy("1", "Drafts")
        expect_equal(copied[0], "NO")
        expect(b"OVERQUOTA" in copied[1][0], copied)


@test
def without_a_size_limit_only_messages_are_counted():
    with connect(f"bob@{DOMAIN}") as client:
        expect_equal(quota(client), {"MESSAGE": (0, 5)})
        for _ in range(5):
            expect_equal(client.append("INBOX", None, None, TEXT)[0], "OK")
        expect_equal(client.append("INBOX", None, None, TEXT)[0], "NO")


@test
def everything_is_sound_in_the_end():
    server.run("check", server.dir)
    server.stop()


tap.finish(server.remove)

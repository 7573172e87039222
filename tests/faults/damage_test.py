#!/usr/bin/python3
"""Damaged mailbox files: a bad byte in a page of each table, a flipped bit in the middle of each table's
data, a file cut off, a missing blob. Each is found and named, repaired as far as that goes, and nobody
else's mailbox is the worse for it."""

import random
import shutil
import sqlite3
import struct

from harness import bourse, mail, tap
from harness.bourse import DOMAIN
from harness.tap import expect, expect_equal, test

ALICE, BOB = f"alice@{DOMAIN}", f"bob@{DOMAIN}"
server = bourse.Server(["alice", "bob"])
DIR = server.dir
state = {}


def files():
    guid = server.json("user", "show", DIR, ALICE)["guid"]
    return DIR / "store" / f"{guid}.mbx"


def check(*options, status=None):
    done = server.run("check", DIR, "--user", ALICE, *options, check=False)
    if status is not None:
        expect_equal(done.returncode, status, f"check {options}: {done.stdout}{done.stderr}")
    return done.stdout


def fresh():
    """The sound file again, and nothing of what repairs have left."""
    for path in state["file"].parent.glob(state["file"].name + "*"):
        path.unlink()
    shutil.copy(state["sound"], state["file"])


M64 = (1 << 64) - 1
P1, P2, P3, P4, P5 = (0x9E3779B185EBCA87, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9, 0x85EBCA77C2B2AE63,
                      0x27D4EB2F165667C5)


def rotate(v, n):
    return (v << n | v >> (64 - n)) & M64


def stir(lane, word):
    return rotate((lane + word * P2) & M64, 31) * P1 & M64


def page_sum(data, number):
    """As src/db/page_sum.c; the length is a multiple of eight."""
    words = struct.unpack(f"<{len(data) // 8}Q", data)
    lanes = [(number + P1 + P2) & M64, (number + P2) & M64, number, (number - P1) & M64]
    whole = len(words) // 4 * 4
    for i in range(0, whole, 4):
        for k in range(4):
            lanes[k] = stir(lanes[k], words[i + k])
    total = sum(rotate(lane, n) for lane, n in zip(lanes, (1, 7, 12, 18))) & M64
    for lane in lanes:
        total = ((total ^ stir(0, lane)) * P1 + P4) & M64
    total = (total + len(data)) & M64
    for word in words[whole:]:
        total = (rotate(total ^ stir(0, word), 27) * P1 + P4) & M64
    total = (total ^ total >> 33) * P2 & M64
    total = (total ^ total >> 29) * P3 & M64
    return total ^ total >> 32


def seal():
    """Right checksums for pages that another program than the server has changed."""
    size = state["page_size"]
    before = state["sound"].read_bytes()
    with open(state["file"], "r+b") as f:
        after = f.read()
        for at in range(0, len(after), size):
            page = after[at:at + size]
            if page != before[at:at + size]:
                f.seek(at + size - 8)
                f.write(struct.pack("<Q", page_sum(page[:-8], at // size + 1)))


def pages_of(table):
    """Page numbers of the table's own tree, from dbstat when sqlite3 has it, else only its root."""
    with sqlite3.connect(f"file:{state['sound']}?mode=ro&immutable=1", uri=True) as db:
        try:
            return [n for (n,) in db.execute(
                "SELECT pageno FROM dbstat WHERE name = ? AND pagetype <> 'overflow'", (table,))]
        except sqlite3.OperationalError:
            return [db.execute("SELECT rootpage FROM sqlite_master WHERE name = ?", (table,)).fetchone()[0]]


def flip(page, offset, bit=0x40):
    with open(state["file"], "r+b") as f:
        f.seek((page - 1) * state["page_size"] + offset)
        byte = f.read(1)[0]
        f.seek((page - 1) * state["page_size"] + offset)
        f.write(bytes([byte ^ bit]))


@test
def a_mailbox_with_something_in_every_part():
    server.start()
    for i in range(60):
        r = random.Random(i)  # lines that do not compress to nothing: most of the file is contents
        body = "".join(f"line {r.random()} of a message\r\n" for _ in range(1000 if i % 10 else 30000))
        server.deliver("alice", mail.simple_message(f"message {i}", body=body))
    server.deliver("bob", mail.simple_message("for bob"))
    server.wait_for_messages("alice", 60)
    with server.imap() as imap:
        imap.select()
        imap.ok("STORE 3,4 +FLAGS (\\Deleted)")
        imap.ok("EXPUNGE")
        imap.ok("SUBSCRIBE Nowhere")
    server.run("folder", "create", DIR, ALICE, "Projects")
    server.run("folder", "grant", DIR, ALICE, "Projects", BOB, "editor")
    server.stop()
    state["file"] = files()
    state["sound"] = server.root / "sound.mbx"
    shutil.copy(state["file"], state["sound"])
    with sqlite3.connect(f"file:{state['sound']}?mode=ro&immutable=1", uri=True) as db:
        state["page_size"] = db.execute("PRAGMA page_size").fetchone()[0]
        state["tables"] = [n for (n,) in db.execute(
            "SELECT name FROM sqlite_master WHERE type = 'table' AND sql NOT LIKE 'CREATE VIRTUAL%' "
            "AND name NOT LIKE 'sqlite_%' AND name NOT LIKE 'fulltext_%'")]
    expect(len(state["tables"]) > 15, f"{state['tables']}")
    check("--contents", status=0)


@test
def a_bad_byte_in_the_head_of_a_page():
    for table in ("message", "folder"):  # the kind of page, where SQLite itself looks
        fresh()
        flip(pages_of(table)[-1], 0)
        expect(ALICE in check(status=1), f"{table}: not found")


def data_offset(page):
    """In the middle of what the page holds, not in its header or its list of cells."""
    with open(state["sound"], "rb") as f:
        f.seek((page - 1) * state["page_size"])
        content = f.read(state["page_size"] - 8)
    used = [i for i in range(state["page_size"] // 2, len(content)) if content[i]]
    return used[len(used) // 2] if used else len(content) - 1


@test
def a_flipped_bit_in_the_data_of_each_table():
    unseen, unnamed = [], []
    for table in state["tables"]:
        page = pages_of(table)[-1]
        fresh()
        flip(page, data_offset(page))
        text = check(status=1)
        if ALICE not in text or f"page {page}" not in text or "checksum" not in text:
            unseen.append((table, text))
        elif f"table {table}:" not in text:
            unnamed.append((table, text))
    expect(not unseen, f"not found: {unseen}")
    expect(not unnamed, f"not named: {unnamed}")


@test
def a_flipped_bit_loses_nothing_and_its_messages_are_named():
    fresh()
    content = state["sound"].read_bytes()
    at = content.index(b"message 17")
    flip(at // state["page_size"] + 1, at % state["page_size"] + 2, 0x01)
    server.start()
    with server.imap() as imap:
        status, _, _ = imap.command("SELECT INBOX")
        expect_equal(status, "NO", "wrong data is not shown")
    server.stop()
    text = check("--repair")
    expect("may be wrong in a few places" in text, text)
    check(status=0)
    expect_equal(len(server.json("message", "list", DIR, ALICE)), 58, "messages")


@test
def repaired_as_far_as_it_goes():
    for table in ("message", "message_data", "folder", "blob", "mailbox", "attachment"):
        if table not in state["tables"]:
            continue
        fresh()
        flip(pages_of(table)[-1], 0)
        text = check("--repair")
        expect("salvage" in text, f"{table}: {text}")
        expect(table in text, f"{table} is not named: {text}")
        expect((state["file"].parent / (state["file"].name + ".damaged")).exists(), "kept")
        server.run("message", "list", DIR, ALICE)


@test
def a_file_that_is_cut_off():
    fresh()
    size = state["file"].stat().st_size
    with open(state["file"], "r+b") as f:
        f.truncate(size * 2 // 3)
    check(status=1)
    text = check("--repair")
    expect("[repaired]" in text, text)
    check("--repair")
    listed = server.json("message", "list", DIR, ALICE)
    expect(len(listed) > 5, f"only {len(listed)} messages left")


@test
def a_missing_blob_is_named_by_its_message():
    fresh()
    with sqlite3.connect(state["file"]) as db:
        db.execute("DELETE FROM blob WHERE blob = (SELECT i.blob FROM message_mime AS i JOIN message AS m "
                   "ON m.doc = i.doc WHERE m.subject = 'message 7')")
    db.close()
    seal()
    text = check(status=1)
    expect('"Inbox"' in text and '"message 7"' in text and "missing" in text, text)


@test
def others_go_on():
    fresh()
    flip(1, 20)
    flip(pages_of("message")[-1], 0)
    flip(pages_of("folder")[-1], 0)
    server.start()
    server.deliver("bob", mail.simple_message("still here"))
    server.wait_for_messages("bob", 2)
    with server.imap(login=False) as imap:
        status, _, _ = imap.command(f'LOGIN {ALICE} "{bourse.PASSWORD}"')
        if status == "OK":
            status, _, _ = imap.command("SELECT INBOX")
        expect_equal(status, "NO", "a damaged mailbox")
    with server.imap("bob") as imap:
        expect_equal(imap.select(), 2, "bob")
    expect("error" in server.tail(), "nothing in the log")
    text = server.run("check", DIR, "--repair", check=False).stdout
    expect("salvage" in text, text)
    with server.imap() as imap:  # repaired while the server runs
        imap.select()
    server.deliver("alice", mail.simple_message("again"))
    server.stop()


@test
def a_read_only_data_directory_says_so():
    fresh()
    done = server.run("export", DIR, ALICE, "--format", "eml", "/proc/nowhere", check=False)
    expect_equal(done.returncode, 1, "export to nowhere")
    expect(done.stderr.strip(), "no word")


tap.finish(server.remove)

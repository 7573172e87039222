#!/usr/bin/python3
"""MAPI over HTTP and the address book over the real server: sessions and their cookies, meta-tags,
the address book's operations, notification waits, and clients that send nonsense."""

import random
import struct
import threading
import time

from harness import bourse, mapi, tap
from harness.bourse import DOMAIN
from harness.mapi import Client, NO_AUX, stat, tags, u32, unicode
from harness.tap import expect, expect_equal, test

server = bourse.Server(["alice", "bob"])
server.run("group", "add", server.dir, f"team@{DOMAIN}", "--name", "Team")
server.run("group", "members", "add", server.dir, f"team@{DOMAIN}", f"bob@{DOMAIN}")
server.start()


def logon(client):
    """RopLogon to one's own mailbox; the handle."""
    dn = client.dn().encode() + b"\0"
    rop = struct.pack("<BBBBIIH", 0xFE, 0, 0, 1, 0x0100000C, 0, len(dn)) + dn
    r, handles = client.execute(rop, [0xFFFFFFFF])
    expect_equal((r.u8(), r.u8(), r.u32()), (0xFE, 0, 0))
    expect_equal(r.u8(), 1)
    return handles[0]


@test
def answers():
    client = Client(server)
    found = client.ask("PING", b"")
    expect_equal((found.status, found.code), (200, 0))
    expect_equal(found.tags, ["PROCESSING", "DONE"])
    expect_equal(found.headers["content-type"], "application/mapi-http")
    expect_equal(found.headers["x-requestid"], f"{{{client.guid}}}:1")
    expect("Exchange/15." in found.headers["x-serverapplication"], str(found.headers))
    expect_equal(found.headers["x-pendingperiod"], "15000")
    expect_equal(found.headers["x-expirationinfo"], "900000")
    for headers, code in (({"X-RequestType": None}, 7), ({"X-RequestId": None}, 7),
                          ({"X-RequestType": "Fly"}, 5), ({"X-RequestId": "x"}, 4),
                          ({"Content-Type": "text/plain"}, 4), ({"X-RequestType": "Execute"}, 13),
                          ({"X-RequestType": "Execute", "Cookie": "MapiContext=x; MapiSequence=y"}, 6),
                          ({"X-RequestType": "Execute",
                            "Cookie": f"MapiContext={'A' * 32}; MapiSequence=y"}, 10)):
        found = client.ask("PING", b"", headers=headers)
        expect_equal((found.status, found.code), (200, code), str(headers))
        expect("text/html" in found.headers["content-type"], str(found.headers))
    expect_equal(client.ask("PING", b"", method="GET").code, 2)
    expect_equal(client.ask("PING", b"", headers={"Authorization": None}).status, 401)
    client.close()


@test
def sessions():
    client = Client(server)
    expect_equal(client.connect("/o=nobody/cn=Recipients/cn=x"), 0x3EB)
    bob = Client(server, "bob").dn()
    expect_equal(client.connect(bob), 0x80070005)
    expect_equal(client.connect(), 0)
    expect_equal(client.display_name, "Alice Test")
    expect(client.prefix.startswith("/o=Test/ou=Exchange Administrative Group"), client.prefix)
    expect(len(client.aux) > 8, "auxiliary blocks")
    old = dict(client.cookies)
    found = client.ask("Execute", b"\0" * 7)
    expect_equal(found.code, 12)
    expect(client.cookies["MapiSequence"] != old["MapiSequence"], "the sequence goes on")
    good, client.cookies = client.cookies, old
    expect_equal(client.ask("Execute", u32(0, 0, 0x1000, 0)).code, 15)
    client.cookies = good
    thief = Client(server, "bob")
    thief.cookies = dict(good)
    expect_equal(thief.ask("Disconnect", NO_AUX).code, 10)
    thief.close()
    client.disconnect()
    client.cookies = good
    expect_equal(client.ask("Execute", u32(0, 0, 0x1000, 0)).code, 10)
    client.close()


@test
def remote_operations():
    with Client(server) as client:
        expect(logon(client) != 0xFFFFFFFF, "a handle")


@test
def waiting():
    with Client(server) as client:
        logon(client)
        answer = client.wait()
        logon(client)  # goes on beside
        client.ask("PING")
        second = client.wait()
        expect_equal(answer(), 0, "a second one ends the first")
        client.disconnect()
        gone = second()
        expect_equal((gone.status, gone.code), (200, 10))
        client.cookies = {}


@test
def new_mail_wakes():
    with Client(server) as client:
        handle = logon(client)
        rop = struct.pack("<BBBBHB", 0x29, 0, 0, 1, 0x0002, 1)  # NewMail, the whole mailbox
        r, _ = client.execute(rop, [handle, 0xFFFFFFFF])
        expect_equal((r.u8(), r.u8(), r.u32()), (0x29, 1, 0))
        answer = client.wait()
        server.deliver("alice", b"From: x@example.org\r\nSubject: Ring\r\n\r\nRing\r\n")
        start = time.monotonic()
        expect_equal(answer(), 1)
        tap.note(f"woken {(time.monotonic() - start) * 1000:.0f} ms after the delivery was acknowledged")
        r, _ = client.execute(b"", [])
        expect_equal(r.u8(), 0x2A, "RopNotify")


@test
def address_book():
    book = Client(server, "alice", "nspi")
    expect_equal(book.ask("QueryColumns", u32(0, 0, 0)).code, 13)
    expect_equal(book.bind(), 0)
    expect(any(book.server_guid), "a GUID")
    results, rows = book.resolve(["alice", "Bob Test", "nobody", "test"], [0x3001001F, 0x39FE001E])
    expect_equal(results, [2, 2, 0, 1])
    expect_equal(rows, [["Alice Test", f"alice@{DOMAIN}"], ["Bob Test", f"bob@{DOMAIN}"]])
    error, at, rows = book.query(stat(), [0x3001001F, 0x39000003, 0x0FF60102], 2)
    expect_equal(error, 0)
    expect_equal([row[0] for row in rows], ["Alice Test", "Bob Test"])
    error, at, rows = book.query(at, [0x3001001F, 0x39000003, 0x0FF60102])
    expect_equal([row[:2] for row in rows], [["Team", 1]])
    team = struct.unpack("<I", rows[0][2])[0]
    # The hierarchy.
    r, error = book.call("GetSpecialTable", u32(4) + stat() + b"\xff" + u32(0) + NO_AUX)
    expect_equal((error, r.u32(), r.u8()), (0, 1252, 0xFF))
    version = r.u32()
    expect_equal(r.u8(), 0xFF)
    lists = [mapi.read_list(r) for _ in range(r.u32())]
    r.end()
    expect_equal(lists[0][0xFFFD0003], 0)
    expect("All Rooms" in [row[0x3001001F] for row in lists], str(lists))
    r, error = book.call("GetSpecialTable", u32(4) + stat() + b"\xff" + u32(version) + NO_AUX)
    expect_equal((error, r.u32(), r.u8(), r.u32(), r.u8(), r.u32()), (0, 1252, 0xFF, version, 0xFF, 0))
    # Members of a group.
    body = (u32(0) + stat(sort=0x3E8, container=0x8009000D, current=team) + b"\0" + u32(0) + b"\0\0" +
            u32(50) + tags([0x3001001F]) + NO_AUX)
    r, error = book.call("GetMatches", body)
    expect_equal((error, r.u8()), (0, 0xFF))
    r.bytes(36)
    expect_equal((r.u8(), r.u32()), (0xFF, 1))
    r.u32()
    expect_equal(mapi.read_rows(r), [["Bob Test"]])
    r.end()
    # Names starting with "a", by ANR and by content.
    anr = b"\x04\x04" + u32(0x360C001F, 0x360C001F) + b"\xff" + unicode("bo")
    body = u32(0) + stat() + b"\0" + u32(0) + b"\xff" + anr + b"\0" + u32(50) + b"\0" + NO_AUX
    r, error = book.call("GetMatches", body)
    expect_equal((error, r.u8()), (0, 0xFF))
    r.bytes(36)
    expect_equal((r.u8(), r.u32()), (0xFF, 1))
    r, error = book.call("GetTemplateInfo", u32(0x61, 0) + b"\0" + u32(1252, 0x409) + NO_AUX)
    expect_equal((error, r.u32(), r.u8()), (0, 1252, 0xFF))
    expect(len(mapi.read_list(r)[0x00010102]) > 500, "a template")
    r, error = book.call("GetMailboxUrl", u32(0) + unicode("/o=Test/cn=x") + NO_AUX)
    expect("/mapi/emsmdb/?MailboxId=" in r.unicode(), "a URL")
    expect_equal(book.unbind(), 1)
    book.close()


@test
def changes_show():
    book = Client(server, "bob", "nspi")
    book.bind()
    before = book.query(stat(), [0x3001001F])[2]
    server.run("user", "add", server.dir, f"carol@{DOMAIN}", "--name", "Carol", "--password-stdin",
               stdin="something long enough\n")
    expect_equal([r[0] for r in book.query(stat(), [0x3001001F])[2]],
                 sorted([r[0] for r in before] + ["Carol"]))
    book.close()


@test
def probe():
    host, port = server.address("https")
    url = f"https://localhost:{port}"
    done = server.run("probe", url, "--user", f"alice@{DOMAIN}", "--password-stdin", "--ca",
                      server.ca, stdin=bourse.PASSWORD + "\n", check=False)
    expect_equal(done.returncode, 0, done.stdout + done.stderr)
    expect("ok    what was sent has come in" in done.stdout, done.stdout)
    done = server.run("probe", url, "--user", f"alice@{DOMAIN}", "--password-stdin", "--insecure",
                      "--scenario", "logon", stdin="wrong\n", check=False)
    expect(done.returncode == 1 and "is the password right?" in done.stdout, done.stdout)
    done = server.run("probe", "https://localhost:1", "--user", f"alice@{DOMAIN}",
                      "--password-stdin", stdin="x\n", check=False)
    expect(done.returncode == 1 and "FAIL" in done.stdout, done.stdout)


@test
def nonsense_disturbs_nobody():
    with Client(server) as client:
        chance = random.Random(6)

        def rubbish():
            for endpoint in ("emsmdb", "nspi"):
                bad = Client(server, "bob", endpoint)
                bad.connect() if endpoint == "emsmdb" else bad.bind()
                for _ in range(40):
                    kind = chance.choice(("Execute", "QueryRows", "GetMatches", "ModProps", "SeekEntries",
                                          "ResolveNames", "GetProps", "Disconnect2", "PING"))
                    body = bytes(chance.randrange(256) for _ in range(chance.randrange(120)))
                    if kind == "Execute":
                        body = u32(0, len(body)) + body + u32(0x1000, 0)
                    bad.ask(kind, body)
                bad.close()
        thread = threading.Thread(target=rubbish)
        thread.start()
        for _ in range(20):
            logon(client)
        thread.join()




@test
def stop():
    server.remove()


tap.finish()

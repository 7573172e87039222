#!/usr/bin/python3
"""Python's imaplib, as a program that uses it would: folders, appending, reading, searching,
flagging, copying, moving, expunging; and how soon IDLE wakes."""

import email
import imaplib
import re
import time

from harness import mail, standin, tap
from harness.tap import expect, expect_equal, test

imaplib._MAXLINE = 10_000_000
server = standin.server(["alice", "bob"]).start()
host, port = server.address("imap")
USER = standin.login_name("alice")


def connect():
    client = imaplib.IMAP4(host, port, timeout=60)
    client.login(USER, server.password("alice"))
    return client


def ok(answer):
    expect_equal(answer[0], "OK", "status")
    return answer[1]


@test
def login_with_a_wrong_password_is_refused():
    client = imaplib.IMAP4(host, port, timeout=60)
    try:
        client.login(USER, "wrong")
        tap.fail("logged in with a wrong password")
    except imaplib.IMAP4.error as error:
        expect(not isinstance(error, imaplib.IMAP4.abort), f"connection lost: {error}")
    client.login(USER, server.password("alice"))  # the connection goes on
    client.logout()


@test
def starttls_and_authenticate_plain():
    import ssl
    client = imaplib.IMAP4(host, port, timeout=60)
    context = ssl.create_default_context(cafile=str(server.ca))
    context.check_hostname = False
    ok(client.starttls(context))
    ok(client.authenticate("PLAIN", lambda _: f"\0{USER}\0{server.password('alice')}".encode()))
    ok(client.select("INBOX"))
    client.logout()


@test
def imaps():
    import ssl
    context = ssl.create_default_context(cafile=str(server.ca))
    secure_host, secure_port = server.address("imaps")
    client = imaplib.IMAP4_SSL("localhost", secure_port, ssl_context=context, timeout=60)
    client.login(USER, server.password("alice"))
    ok(client.noop())
    client.logout()
    expect_equal(secure_host, "127.0.0.1")


@test
def capabilities_promised():
    standin.only_bourse()
    client = connect()
    have = set(" ".join(c.decode() for c in ok(client.capability())).upper().split())
    wanted = {"IMAP4REV1", "IDLE", "NAMESPACE", "UIDPLUS", "MOVE", "SPECIAL-USE", "LITERAL+",
              "SASL-IR", "ENABLE", "CONDSTORE", "ID", "UNSELECT", "CHILDREN"}
    expect(wanted <= have, f"missing: {wanted - have}")
    client.logout()


@test
def folders_are_made_listed_renamed_and_deleted():
    client = connect()
    ok(client.create('"Projects"'))
    ok(client.create('"Projects/Old"'))
    ok(client.subscribe('"Projects/Old"'))
    names = b"\n".join(line for line in ok(client.list()) if line)
    expect(b"Projects/Old" in names and b"INBOX" in names, names)
    expect(any(b"Projects/Old" in line for line in ok(client.lsub()) if line))
    ok(client.rename('"Projects/Old"', '"Projects/New"'))
    listed = b"\n".join(line for line in ok(client.list('""', '"Projects/%"')) if line)
    expect(b"Projects/New" in listed and b"Projects/Old" not in listed, listed)
    ok(client.delete('"Projects/New"'))
    ok(client.delete('"Projects"'))
    expect(client.select('"Projects"')[0] == "NO")
    client.logout()


@test
def special_folders_are_marked():
    standin.only_bourse()
    client = connect()
    listed = b"\n".join(line for line in ok(client.list()) if line)
    for use in (b"\\Sent", b"\\Drafts", b"\\Trash", b"\\Junk"):
        expect(use in listed, f"{use} missing in {listed}")
    client.logout()


@test
def append_fetch_store_search_copy_expunge():
    client = connect()
    ok(client.create('"Work"'))
    bodies = [mail.simple_message(f"work {i}", body=f"Line {i}\r\n.\r\nlast\r\n") for i in range(5)]
    for i, body in enumerate(bodies):
        ok(client.append('"Work"', "(\\Flagged)" if i == 2 else None,
                         imaplib.Time2Internaldate(1_700_000_000 + i), body))
    expect_equal(ok(client.select('"Work"')), [b"5"])
    for i, body in enumerate(bodies):
        expect_equal(ok(client.fetch(str(i + 1), "(BODY.PEEK[])"))[0][1], body)
    line = ok(client.fetch("3", "(FLAGS INTERNALDATE RFC822.SIZE UID)"))[0]
    expect(b"\\Flagged" in line and b"14-Nov-2023" in line, line)
    expect(re.search(rb"RFC822\.SIZE %d\b" % len(bodies[2]), line), line)
    expect_equal(ok(client.search(None, "FLAGGED")), [b"3"])
    expect_equal(ok(client.search(None, "SUBJECT", '"work 4"')), [b"5"])
    expect_equal(ok(client.search(None, "UNSEEN", "NOT", "FLAGGED")), [b"1 2 4 5"])
    ok(client.store("1:2", "+FLAGS", "(\\Seen $Todo)"))
    expect_equal(ok(client.search(None, "KEYWORD", "$Todo")), [b"1 2"])
    ok(client.copy("1", "INBOX"))
    ok(client.uid("MOVE", "2", "INBOX") if "MOVE" in client.capabilities else client.noop())
    client.select('"Work"')
    left = len(ok(client.search(None, "ALL"))[0].split())
    ok(client.store("1", "+FLAGS.SILENT", "(\\Deleted)"))
    client.expunge()
    expect_equal(len(ok(client.search(None, "ALL"))[0].split()), left - 1)
    ok(client.close())
    ok(client.delete('"Work"'))
    client.logout()


@test
def sort_and_thread():
    standin.only_bourse()
    client = connect()
    ok(client.create('"Threads"'))
    for n, (subject, day, extra) in enumerate([
            ("beta", 3, ""), ("alpha", 2, ""), ("Re: alpha", 1, "References: <flow1@t.test>\r\n")]):
        ok(client.append('"Threads"', None, None, (
            f"Message-ID: <flow{n}@t.test>\r\nSubject: {subject}\r\n{extra}"
            f"Date: {day:02} Nov 2026 10:00:00 +0000\r\n\r\nx\r\n").encode()))
    ok(client.select('"Threads"'))
    expect_equal(ok(client.sort("(DATE)", "UTF-8", "ALL")), [b"3 2 1"])
    expect_equal(ok(client.sort("(SUBJECT REVERSE DATE)", "UTF-8", "ALL")), [b"2 3 1"])
    expect_equal(ok(client.uid("SORT", "(REVERSE ARRIVAL SUBJECT)", "UTF-8", "SUBJECT alpha")),
                 [b"3 2"])
    expect_equal(ok(client.thread("REFERENCES", "UTF-8", "ALL")), [b"(2 3)(1)"])
    expect_equal(ok(client.thread("ORDEREDSUBJECT", "UTF-8", "ALL")), [b"(3 2)(1)"])
    client.close()
    ok(client.delete('"Threads"'))
    client.logout()


@test
def structure_and_parts_of_a_multipart_message():
    client = connect()
    message = (standin_file("4-attachment.eml")).replace(b"\n", b"\r\n")
    ok(client.append("INBOX", None, None, message))
    n = ok(client.select("INBOX"))[0].decode()
    structure = ok(client.fetch(n, "(BODYSTRUCTURE)"))[0].lower()
    expect(b'"mixed"' in structure and b'"csv"' in structure and b"figures.csv" in structure,
           structure)
    part = ok(client.fetch(n, "(BODY.PEEK[2])"))[0][1]
    expect_equal(part.replace(b"\r\n", b""), b"bW9udGgscmV2ZW51ZQpKdWx5LDEyMDAKQXVndXN0LDEzNTAKU"
                 b"2VwdGVtYmVyLDE0MTAK")
    header = ok(client.fetch(n, "(BODY.PEEK[HEADER.FIELDS (SUBJECT FROM)])"))[0][1]
    parsed = email.message_from_bytes(header)
    expect_equal(sorted(parsed.keys()), ["From", "Subject"])
    partial = ok(client.fetch(n, "(BODY.PEEK[]<10.20>)"))[0][1]
    expect_equal(partial, message[10:30])
    envelope = ok(client.fetch(n, "(ENVELOPE)"))[0]
    expect(b"figures-4@example.test" in envelope, envelope)
    client.logout()


def standin_file(name):
    import pathlib
    return (pathlib.Path(__file__).parent.parent / "data" / "sample" / name).read_bytes()


@test
def delivered_mail_is_read_byte_for_byte():
    message = mail.simple_message("dots", body=".\r\n..\r\n.dot\r\n\r\nend\r\n")
    server.deliver("bob", message)
    server.wait_for_messages("bob", 1)
    with server.imap("bob") as imap:
        expect_equal(imap.select(), 1)
        body = imap.fetch_bodies()[1]
        expect(body.endswith(message), body)
        expect(body.lower().startswith(b"return-path:") or b"Received:" in body, body)


def finish():
    """the server stops cleanly"""
    server.remove()


tap.finish(finish)

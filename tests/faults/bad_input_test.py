#!/usr/bin/python3
"""What strangers send: the protocol's own error comes back, the server goes on, nothing is lost, and
its memory does not follow the size of the nonsense."""

import random
import re
import socket
import sys
import time

from harness import bourse, mail, tap
from harness.tap import expect, expect_equal, test

server = bourse.Server(["alice", "bob"], build="asan").start()
RECIPIENT = "alice@example.test"
GIGABYTE = 1 << 30


def resident():
    text = open(f"/proc/{server.process.pid}/status").read()
    return int(re.search(r"VmRSS:\s+(\d+) kB", text).group(1)) * 1024


def still_works():
    """A message still comes through and is read."""
    server.check_alive()
    subject = f"alive {time.monotonic_ns()}"
    with server.imap() as imap:
        before = imap.status("INBOX", "MESSAGES")["MESSAGES"]
    server.deliver("alice", mail.simple_message(subject))
    server.wait_for_messages("alice", before + 1)


def flood(wire, total, block):
    """Sends `total` bytes unless the server hangs up first; the number sent."""
    sent = 0
    try:
        while sent < total:
            wire.socket.sendall(block)
            sent += len(block)
    except (ConnectionError, socket.timeout):
        pass
    return sent


def next_reply(smtp):
    """The next code, or None when the connection was closed."""
    try:
        return smtp.reply()[0]
    except (mail.Closed, ConnectionError):
        return None


def begin_data(smtp, recipient=RECIPIENT):
    smtp.ehlo()
    smtp.expect(250, "MAIL FROM:<a@remote.test>")
    smtp.expect(250, f"RCPT TO:<{recipient}>")
    smtp.expect(354, "DATA")


# --- SMTP ---

@test
def smtp_bare_lf_does_not_end_a_message_or_hide_another():
    for ending in (b"\n.\n", b"\n.\r\n", b"\r\n.\n", b"\r.\r", b"\r\n.\r", b"\r.\r\n"):
        with server.smtp() as smtp:
            begin_data(smtp)
            smtp.send(b"Subject: outer\r\n\r\nbody" + ending +
                      b"MAIL FROM:<evil@remote.test>\r\nRCPT TO:<bob@example.test>\r\nDATA\r\n"
                      b"Subject: smuggled\r\n\r\nx\r\n.\r\n")
            code = next_reply(smtp)
            expect(code is None or code == 250 or 500 <= code < 600, f"{ending!r}: {code}")
            if code is not None:
                code = smtp.command("NOOP")[0]
                expect_equal(code, 250, f"after {ending!r}")
    with server.imap("bob") as imap:
        expect_equal(imap.status("INBOX", "MESSAGES")["MESSAGES"], 0, "smuggled messages")
    still_works()


@test
def smtp_nul_bytes():
    with server.smtp() as smtp:
        smtp.ehlo()
        code, _ = smtp.command(b"MAIL FROM:<a\0b@remote.test>")
        expect(500 <= code < 600, f"NUL in a command: {code}")
        smtp.send(b"\0" * 100 + b"\r\n")
        expect(500 <= smtp.reply()[0] < 600, "a line of NULs")
        smtp.expect(250, "MAIL FROM:<a@remote.test>")
        smtp.expect(250, f"RCPT TO:<{RECIPIENT}>")
        smtp.expect(354, "DATA")
        smtp.send(b"Subject: nul\0 in it\r\n\r\na\0b\r\n.\r\n")
        code = smtp.reply()[0]
        expect(code == 250 or 500 <= code < 600, f"NUL in a message: {code}")
        smtp.expect(250, "NOOP")
    still_works()


@test
def smtp_command_line_of_1_gigabyte():
    before = resident()
    with server.smtp(timeout=120) as smtp:
        smtp.ehlo()
        sent = flood(smtp, GIGABYTE, b"NOOP " + b"x" * (1 << 20))
        try:
            smtp.send(b"\r\n")
        except OSError:
            pass
        code = next_reply(smtp)
        expect(code is None or 400 <= code < 600, f"after {sent} bytes: {code}")
    grown = resident() - before
    expect(grown < 256 << 20, f"memory grew by {grown >> 20} MiB")
    still_works()


@test
def smtp_message_line_of_1_gigabyte():
    before = resident()
    with server.smtp(timeout=300) as smtp:
        begin_data(smtp)
        sent = flood(smtp, GIGABYTE, b"y" * (1 << 20))
        try:
            smtp.send(b"\r\n.\r\n")
        except OSError:
            pass
        code = next_reply(smtp)
        expect(code is None or code in (552, 554, 500, 421), f"after {sent} bytes: {code}")
        if code not in (None, 421):
            smtp.expect(250, "NOOP")
    grown = resident() - before
    expect(grown < 256 << 20, f"memory grew by {grown >> 20} MiB")
    still_works()


@test
def smtp_10000_recipients():
    with server.smtp(timeout=120) as smtp:
        smtp.ehlo()
        smtp.expect(250, "MAIL FROM:<a@remote.test>")
        accepted = 0
        for start in range(0, 10_000, 100):
            smtp.send(b"".join(b"RCPT TO:<%s>\r\n" % (
                b"alice@example.test" if i == 0 else b"alice+tag%d@example.test" % i)
                for i in range(start, start + 100)))
            for _ in range(100):
                code, lines = smtp.reply()
                if code == 250:
                    accepted += 1
                else:
                    expect(code in (452, 550, 552), f"{code} {lines}")
        expect(accepted >= 100, f"only {accepted} accepted (RFC 5321 4.5.3.1.8)")
        tap.note(f"{accepted} of 10,000 accepted")
        smtp.expect(354, "DATA")
        smtp.send(mail.dot_stuffed(mail.simple_message("to many")))
        expect_equal(smtp.reply()[0], 250)
    still_works()


@test
def smtp_random_bytes():
    r = random.Random(7)
    for _ in range(30):
        with server.smtp(timeout=10) as smtp:
            try:
                smtp.send(r.randbytes(r.randrange(1, 20000)) + b"\r\nQUIT\r\n")
                smtp.at_end()
            except (mail.Closed, ConnectionError, socket.timeout):
                pass
    still_works()


@test
def smtp_connections_that_end_in_the_middle():
    message = mail.simple_message("cut")
    with server.imap() as imap:
        before = imap.status("INBOX", "MESSAGES")["MESSAGES"]
    for cut in range(0, len(message), 40):
        with server.smtp() as smtp:
            begin_data(smtp)
            smtp.send(message[:cut])
    time.sleep(0.5)
    with server.imap() as imap:
        expect_equal(imap.status("INBOX", "MESSAGES")["MESSAGES"], before, "half messages")
    still_works()


@test
def smtp_bdat_with_impossible_sizes():
    for size in (b"9223372036854775808", b"18446744073709551616", b"-1", b"", b"1x"):
        with server.smtp() as smtp:
            smtp.ehlo()
            smtp.expect(250, "MAIL FROM:<a@remote.test>")
            smtp.expect(250, f"RCPT TO:<{RECIPIENT}>")
            smtp.send(b"BDAT " + size + b" LAST\r\n")
            code = next_reply(smtp)
            expect(code is None or 500 <= code < 600, f"BDAT {size!r}: {code}")
    still_works()


# --- IMAP ---

@test
def imap_literals_of_impossible_sizes():
    for size in (b"9223372036854775808", b"9223372036854775807", b"18446744073709551616",
                 b"99999999999999999999999999", b"4294967296", b"-1", b"+", b"1a"):
        for plus in (b"", b"+"):
            for command in (b"LOGIN {%s%s}", b"APPEND INBOX {%s%s}"):
                login = command.startswith(b"LOGIN")
                with server.imap(login=not login, timeout=20) as imap:
                    imap.send(b"x " + command % (size, plus) + b"\r\n")
                    try:
                        line = imap.response()
                        while line.startswith(b"* ") and not line.startswith(b"* BYE"):
                            line = imap.response()
                        expect(re.match(rb"(x (BAD|NO)|\* BYE|\* BAD)", line),
                               f"{command % (size, plus)!r}: {line!r}")
                    except mail.Closed:
                        pass
    still_works()


@test
def imap_line_of_1_gigabyte():
    before = resident()
    with server.imap(timeout=120) as imap:
        sent = flood(imap, GIGABYTE, b"a NOOP " + b"x" * (1 << 20))
        try:
            imap.send(b"\r\n")
            line = imap.response()
            expect(re.match(rb"(\S+ BAD|\* BYE|\* BAD)", line), f"after {sent}: {line[:100]!r}")
        except (mail.Closed, OSError):
            pass
    grown = resident() - before
    expect(grown < 256 << 20, f"memory grew by {grown >> 20} MiB")
    still_works()


@test
def imap_unterminated_and_odd_strings():
    imap = server.imap(timeout=20)
    for number, text in enumerate((
            'SELECT "abc', 'SELECT "abc\\"', 'LIST "" "', 'STATUS "INBOX (MESSAGES)',
            'SEARCH SUBJECT "x', 'SELECT "a\\q"', 'LOGIN "', 'APPEND "', 'ID ("a',
            'LIST (((((', 'FETCH 1 (FLAGS', 'STORE 1 FLAGS (\\Seen', 'CREATE', 'UID',
            'SEARCH NOT', 'SEARCH OR ALL', 'FETCH 1:* BODY[1.2.', 'FETCH 1 BODY[]<1',
            'FETCH 1 BODY[]<-1.5>', 'FETCH 1 BODY[]<0.0>', 'FETCH 1 BODY[HEADER.FIELDS ()]',
            'FETCH 1 BODY[0]', 'FETCH 1 BODY[4294967296]', 'STORE 1 FLAGS "x"')):
        if number % 5 == 4:  # a server may hang up on a client that only talks nonsense
            imap.ok("NOOP")
            imap.close()
            imap = server.imap(timeout=20)
        status, message, _ = imap.command(text)
        expect(status in ("BAD", "NO", "OK"), f"{text}: {status} {message}")
        if text.count('"') % 2 and "\\" not in text:
            expect_equal(status, "BAD", text)
    imap.ok("NOOP")
    imap.close()


@test
def imap_nul_and_control_bytes():
    with server.imap(timeout=20) as imap:
        for raw in (b'SELECT "a\0b"', b"SELECT \x01", b'CREATE "a\x7fb"', b"NO\0OP", b"\0", b"\x80\xff",
                    b'SELECT "\xff\xfe"', b"\t", b" ", b""):
            imap.send(b"n1 " + raw + b"\r\n")
            line = imap.response()
            while line.startswith(b"* ") and not line.startswith((b"* BAD", b"* BYE")):
                line = imap.response()
            expect(re.match(rb"(n1 (BAD|NO|OK)|\* BAD)", line), f"{raw!r}: {line!r}")
            if raw.startswith(b"CREATE") and b"OK" in line:
                imap.command(b'DELETE "a\x7fb"')
        imap.ok("NOOP")


@test
def imap_mailbox_names_with_every_character():
    """Each odd name is refused, or it works in every command and shows up in LIST as it was made."""
    with server.imap("bob", timeout=60) as imap:
        names = [f"x{chr(c)}y" for c in range(0x20, 0x7f) if chr(c) not in '"\\&']
        names += ["&AOk-t&AOk-", "&U,BTFw-", "a&-b", "&", "&-", "&AAA", "&AOk", "x" * 1000, "a/b/c/d/e/f",
                  "/", "//", "a//b", "/a", "a/", ".", "..", "../../etc/passwd", "~", "*", "%", "INBOX/x",
                  "inbox", "x\ty", " ", " lead", "trail ", "CON", "&2D0-", "&2D3cAQ-", "&AA0ACg-"]
        made = 0
        for name in names:
            quoted = mail.quoted(name)
            status, _, _ = imap.command(f"CREATE {quoted}")
            expect(status in ("OK", "NO", "BAD"), f"CREATE {quoted}: {status}")
            if status != "OK":
                continue
            made += 1
            stripped = name.rstrip("/")
            listed = imap.ok(f"LIST \"\" {mail.quoted(stripped)}")
            if not any(c in name for c in "*%"):
                expect(listed, f"{quoted} was made but is not listed")
            select = imap.command(f"SELECT {mail.quoted(stripped)}")[0]
            expect_equal(select, "OK", f"SELECT {quoted}")
            imap.ok("UNSELECT")
            status, text, _ = imap.command(f"DELETE {mail.quoted(stripped)}")
            expect_equal(status, "OK", f"DELETE {quoted} {text}")
        for c in '"\\':
            status, _, _ = imap.command(f'CREATE {mail.quoted("x" + c + "y")}')
            if status == "OK":
                made += 1
                imap.ok(f'DELETE {mail.quoted("x" + c + "y")}')
        tap.note(f"{made} of {len(names) + 2} names were accepted")
        expect(made >= 60, "ordinary punctuation must be accepted")
        imap.ok("NOOP")


@test
def imap_deeply_nested_search():
    with server.imap(timeout=60) as imap:
        imap.select()
        for text in ("SEARCH " + "(" * 5000 + "ALL" + ")" * 5000, "SEARCH " + "NOT " * 5000 + "ALL",
                     "SEARCH " + "OR ALL " * 5000 + "ALL"):
            status, _, _ = imap.command(text)
            expect(status in ("OK", "BAD", "NO"), status)
        sets = ",".join(str(i) for i in range(1, 5000, 2))
        status, _, _ = imap.command(f"FETCH {sets} FLAGS")
        expect(status in ("OK", "BAD", "NO"), status)
        imap.ok("NOOP")


@test
def imap_random_bytes():
    r = random.Random(11)
    for _ in range(30):
        with server.imap(login=r.random() < 0.5, timeout=5) as imap:
            try:
                imap.send(r.randbytes(r.randrange(1, 20000)) + b"\r\n")
                imap.socket.shutdown(socket.SHUT_WR)
                imap.at_end()
            except (mail.Closed, OSError):
                pass
    still_works()


@test
def imap_clients_that_vanish_during_a_long_answer():
    for _ in range(20):
        imap = server.imap(timeout=20)
        imap.select()
        imap.start("FETCH 1:* (BODY.PEEK[] ENVELOPE BODYSTRUCTURE)")
        imap.socket.recv(100)
        imap.close()
    still_works()


# --- Content ---

@test
def mime_nested_10000_deep():
    sys.path.insert(0, str(bourse.TOP / "tests" / "data"))
    import generate
    _, message = generate.deep(1, random.Random(1), depth=10_000)
    rfc822 = b"".join(b"Content-Type: message/rfc822\r\n\r\n" for _ in range(10_000)) + b"x\r\n"
    with server.imap("bob", timeout=120) as imap:
        imap.ok('CREATE "Deep"')
        imap.append("Deep", message)
        imap.append("Deep", rfc822)
        expect_equal(imap.select("Deep"), 2)
        bodies = imap.fetch_bodies()
        expect(bodies[1] == message and bodies[2] == rfc822, "bytes differ")
        imap.ok("FETCH 1:2 (ENVELOPE BODYSTRUCTURE)")
        imap.command("FETCH 1:2 BODY.PEEK[" + "1." * 5000 + "1]")
        imap.ok("SEARCH TEXT innermost")
    with server.smtp(timeout=120) as smtp:
        smtp.ehlo()
        smtp.expect(250, "MAIL FROM:<a@remote.test>")
        smtp.expect(250, "RCPT TO:<bob@example.test>")
        smtp.expect(354, "DATA")
        smtp.send(mail.dot_stuffed(message))
        code = smtp.reply()[0]
        expect(code in (250, 554), f"deep message: {code}")
    if code == 250:
        with server.imap("bob") as imap:
            imap.select()
        server.wait_for_messages("bob", 1)
    still_works()


@test
def headers_beyond_measure():
    message = (b"Subject: many\r\n" + b"".join(b"X-%d: y\r\n" % i for i in range(50_000)) +
               b"References: " + b"<a@b> " * 20_000 + b"\r\nTo: " + b"<a@b>, " * 20_000 + b"x@y\r\n\r\nz\r\n")
    with server.imap("bob", timeout=120) as imap:
        imap.ok('CREATE "Headers"')
        imap.append("Headers", message)
        imap.select("Headers")
        expect_equal(imap.fetch_bodies()[1], message)
        imap.ok("FETCH 1 (ENVELOPE)")


@test
def many_connections_that_say_nothing():
    idle = [socket.create_connection(server.address("imap" if i % 2 else "smtp")) for i in range(300)]
    still_works()
    for s in idle:
        s.close()


@test
def nothing_was_lost():
    server.stop()
    server.run("check", server.dir)


def finish():
    server.remove()


tap.finish(finish)

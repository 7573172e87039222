#!/usr/bin/python3
"""LMTP from Python's smtplib and from swaks, as a mail server in front of this one hands mail over;
XCLIENT, which names the client it has the mail from, and what counts for that client then."""

import signal
import smtplib
import subprocess
import time

from harness import bourse, tap
from harness.postfix import Postfix
from harness.tap import expect, expect_equal, test

server = bourse.Server(["alice", "bob"], settings={
    "transport": {"trusted": "127.0.0.1", "relay_domains": "relayed.test"},
    "smtp": {"tarpit_after": "1", "tarpit": "1s", "connections_per_minute": "3"}}).start()


def count(user):
    with server.imap(user) as imap:
        return imap.status("INBOX", "MESSAGES")["MESSAGES"]


def xclient(connection, **values):
    words = " ".join(f"{name}={value}" for name, value in values.items())
    code, text = connection.docmd("XCLIENT", words)
    return code, text


@test
def smtplib_lmtp_hands_one_message_to_two_recipients():
    before = count("alice"), count("bob")
    with smtplib.LMTP(*server.address("lmtp"), timeout=60) as lmtp:
        lmtp.ehlo("client.test")
        refused = lmtp.sendmail("a@remote.test", ["alice@example.test", "nobody@example.test"],
                                b"Subject: lmtp\r\n\r\nx\r\n")
        expect_equal(list(refused), ["nobody@example.test"])
        expect_equal(lmtp.sendmail("a@remote.test", ["alice@example.test", "bob@example.test"],
                                   b"Subject: both\r\n\r\nx\r\n"), {})
        expect_equal(lmtp.getreply()[0], 250, "smtplib reads the answer for the first only")
    server.wait_for_messages("alice", before[0] + 2)
    server.wait_for_messages("bob", before[1] + 1)


@test
def swaks_speaks_lmtp():
    before = count("alice")
    host, port = server.address("lmtp")
    done = subprocess.run(["swaks", "--protocol", "LMTP", "--server", host, "--port", str(port),
                           "--from", "a@remote.test", "--to", "alice@example.test", "--timeout",
                           "60"], check=False, capture_output=True, text=True, timeout=120,
                          stdin=subprocess.DEVNULL)
    expect_equal(done.returncode, 0, done.stdout + done.stderr)
    server.wait_for_messages("alice", before + 1)


@test
def postfix_hands_mail_over_by_lmtp():
    host, port = server.address("lmtp")
    before = count("alice"), count("bob")
    settings = (f"virtual_mailbox_domains = example.test\n"
                f"virtual_transport = lmtp:inet:[{host}]:{port}\nlmtp_host_lookup = native\n"
                "lmtp_dns_support_level = disabled\nlmtp_send_xforward_command = yes\n")
    with Postfix(settings=settings) as postfix:
        with smtplib.SMTP("127.0.0.1", postfix.port, timeout=60) as smtp:
            for number in range(20):
                smtp.sendmail("a@remote.test", ["alice@example.test", "bob@example.test"],
                              f"Subject: by postfix {number}\r\n\r\nx\r\n".encode())
            smtp.sendmail("", ["alice@example.test"], b"Subject: last\r\n\r\nx\r\n")
        server.wait_for_messages("alice", before[0] + 21)
        server.wait_for_messages("bob", before[1] + 20)
        expect("status=sent (250 2.0.0 Ok: queued as" in postfix.log(), postfix.log()[-2000:])
    expect_equal((count("alice"), count("bob")), (before[0] + 21, before[1] + 20))


@test
def xclient_names_the_client_in_received():
    before = count("alice")
    with smtplib.SMTP(*server.address("smtp"), timeout=60) as smtp:
        smtp.ehlo("front.test")
        expect("xclient" in smtp.esmtp_features, smtp.esmtp_features)
        expect_equal(xclient(smtp, NAME="client.test", ADDR="192.0.2.77", HELO="given.test")[0], 220)
        smtp.ehlo("client.test")
        smtp.sendmail("a@remote.test", ["alice@example.test"], b"Subject: through\r\n\r\nx\r\n")
    server.wait_for_messages("alice", before + 1)
    with server.imap("alice") as imap:
        n = imap.select()
        text = imap.fetch_bodies(str(n))[n]
    expect(b"from client.test (client.test [192.0.2.77])" in text, text)


@test
def errors_of_a_strange_client_are_answered_late():
    with smtplib.SMTP(*server.address("smtp"), timeout=60) as smtp:
        expect_equal(xclient(smtp, ADDR="192.0.2.78")[0], 220)
        smtp.ehlo("client.test")
        smtp.mail("a@remote.test")
        times = []
        for _ in range(2):
            start = time.monotonic()
            expect_equal(smtp.rcpt("nobody@example.test")[0], 550)
            times.append(time.monotonic() - start)
        expect(times[1] > 0.9 > times[0], times)
        start = time.monotonic()
        expect_equal(smtp.rcpt("alice@example.test")[0], 250)
        expect_equal(smtp.rcpt("someone@relayed.test")[0], 250)
        expect(time.monotonic() - start < 0.9)


@test
def connections_of_one_address_are_counted():
    codes = []
    for _ in range(5):
        with smtplib.SMTP(*server.address("smtp"), timeout=60) as smtp:
            codes.append(xclient(smtp, ADDR="192.0.2.79")[0])
            smtp.close()
    expect_equal(codes, [220, 220, 220, 421, 421])


@test
def limits_are_read_again_on_sighup():
    server.configure({"limits": {"message": "1M"}, "smtp": {"connections_per_minute": "1"}})
    server.process.send_signal(signal.SIGHUP)
    with smtplib.SMTP(*server.address("smtp"), timeout=60) as smtp:
        end = time.monotonic() + 30
        while not smtp.esmtp_features or smtp.esmtp_features["size"] != "1048576":
            expect(time.monotonic() < end, smtp.esmtp_features)
            smtp.ehlo("client.test")
        expect_equal(smtp.mail("a@remote.test", ["SIZE=2000000"])[0], 552)


@test
def a_group_can_be_closed_to_strangers():
    server.run("group", "add", server.dir, "team@example.test", "--name", "Team")
    server.run("group", "members", "add", server.dir, "team@example.test", "bob@example.test")
    server.run("restrict", server.dir, "team@example.test", "--authenticated-only", "yes")
    with smtplib.SMTP(*server.address("smtp"), timeout=60) as smtp:
        smtp.ehlo("client.test")
        smtp.mail("a@remote.test")
        expect_equal(smtp.rcpt("team@example.test")[0], 550)
    before = count("bob")
    with smtplib.SMTP(*server.address("submission"), timeout=60) as smtp:
        smtp.login("alice@example.test", bourse.PASSWORD)
        smtp.sendmail("alice@example.test", ["team@example.test"], b"Subject: team\r\n\r\nx\r\n")
    server.wait_for_messages("bob", before + 1)


def finish():
    server.remove()


tap.finish(finish)

"""Mail from outside: SPF, DKIM and DMARC with a real name server, rspamd as it is in Debian, and
where the message ends up."""

from harness import mail, tap
from harness.bourse import DOMAIN, Server
from harness.knot import Knot, free_port
from harness.rspamd import Rspamd
from harness.tap import expect, test

GTUBE = "XJS*C4JDBQADN1.NSBN3*2IDNEN*GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*C.34X"
ZONES = {
    "good.test": "@ TXT \"v=spf1 ip4:127.0.0.1 -all\"\n_dmarc TXT \"v=DMARC1; p=reject\"\n",
    "bad.test": "@ TXT \"v=spf1 ip4:192.0.2.1 -all\"\n_dmarc TXT \"v=DMARC1; p=reject\"\n",
    "soft.test": "@ TXT \"v=spf1 ip4:192.0.2.1 -all\"\n_dmarc TXT \"v=DMARC1; p=quarantine\"\n",
    DOMAIN: "",
}
dns = Knot(ZONES).start()
server = Server(users=["alice"], settings={
    "dns": {"servers": dns.address, "trust_anchor": "none", "timeout": "2s"},
}).start()
count = 0


def message(sender, subject="Hello", body="Hi"):
    global count  # pylint: disable=global-statement
    count += 1
    return (f"From: {sender}\r\nTo: alice@{DOMAIN}\r\nSubject: {subject} {count}\r\n"
            f"Date: Tue, 24 Nov 2026 10:00:00 +0000\r\nMessage-ID: <{count}@x.test>\r\n\r\n"
            f"{body}\r\n").encode()


def send(sender, subject="Hello", body="Hi"):
    """The reply to the end of DATA, as "250 text"."""
    with server.smtp() as smtp:
        smtp.ehlo()
        smtp.expect(250, f"MAIL FROM:<{sender}>")
        smtp.expect(250, f"RCPT TO:<alice@{DOMAIN}>")
        smtp.expect(354, "DATA")
        smtp.send(mail.dot_stuffed(message(sender, subject, body)))
        code, lines = smtp.reply()
        return f"{code} {lines[0].decode()}"


def newest(folder, n):
    """The n-th message of a folder, which may still be on its way."""
    server.wait_for_messages("alice", n, folder)
    with server.imap("alice") as imap:
        imap.select(folder)
        imap.ok(f"FETCH {n} BODY.PEEK[]")
        return imap.all_literals[0]


def accepted(reply):
    expect(reply.startswith("250"), reply)


@test
def good_mail_comes_in_with_its_results():
    accepted(send("ann@good.test"))
    text = newest("INBOX", 1)
    expect(b"Authentication-Results: mail." in text and b"spf=pass" in text
           and b"dmarc=pass" in text, text)


@test
def what_fails_dmarc_is_refused_or_junk():
    reply = send("ann@bad.test")
    expect("550" in reply and "5.7.26" in reply, reply)
    accepted(send("ann@soft.test"))
    expect(b"dmarc=fail" in newest("Junk Email", 1))


@test
def lists_decide():
    server.run("junk", "add", server.dir, f"alice@{DOMAIN}", "--blocked-sender", "good.test")
    accepted(send("ann@good.test"))
    newest("Junk Email", 2)
    server.run("junk", "remove", server.dir, f"alice@{DOMAIN}", "--blocked-sender", "good.test")


@test
def rspamd_is_asked():
    with Rspamd() as filter_:
        server.configure({"policy": {"rspamd": filter_.url}})
        server.restart()
        reply = send("ann@good.test", body=GTUBE)
        expect("550" in reply and "5.7.1" in reply, reply)
        accepted(send("ann@good.test", "cheap pills"))
        newest("Junk Email", 3)
        accepted(send("ann@good.test"))
        newest("INBOX", 2)


@test
def without_rspamd_mail_is_taken_or_put_off():
    server.configure({"policy": {"rspamd": f"http://127.0.0.1:{free_port()}"}})
    server.restart()
    accepted(send("ann@good.test"))
    newest("INBOX", 3)
    server.configure({"policy": {"rspamd_down": "defer"}})
    server.restart()
    reply = send("ann@good.test")
    expect("451" in reply and "4.7" in reply, reply)
    server.configure({"policy": {"rspamd": "", "rspamd_down": "accept"}})
    server.restart()


@test
def without_the_dns_mail_is_taken():
    dns.stop()
    accepted(send("ann@unknown.test"))
    text = newest("INBOX", 4)
    expect(b"spf=temperror" in text, text)


def all_stops_cleanly():
    server.remove()
    dns.stop()


tap.finish(cleanup=all_stops_cleanly)

"""SPF beside python3-spf: both ask the same name server about the same senders and have to agree."""

import re

from harness import mail, tap
from harness.bourse import DOMAIN, Server
from harness.knot import Knot
from harness.tap import expect_equal, test

try:
    import dns.resolver
    import spf
except ImportError:
    spf = None

RECORDS = {
    "pass": "v=spf1 ip4:127.0.0.0/8 -all",
    "fail": "v=spf1 ip4:192.0.2.1 -all",
    "soft": "v=spf1 a ~all",
    "neutral": "v=spf1 ?all",
    "nothing": "v=spf1",
    "wide": "v=spf1 ip4:126.0.0.0/7 -all",
    "a": "v=spf1 a:host.spf.test -all",
    "anet": "v=spf1 a:near.spf.test/8 -all",
    "mx": "v=spf1 mx:mail.spf.test -all",
    "ptr": "v=spf1 ptr:spf.test -all",
    "exists": "v=spf1 exists:%{ir}.%{l}.%{v}.list.spf.test -all",
    "reverse": "v=spf1 exists:%{l1r-}.%{d2}.list.spf.test -all",
    "include": "v=spf1 include:pass.spf.test -all",
    "incfail": "v=spf1 include:fail.spf.test ~all",
    "incsoft": "v=spf1 include:soft.spf.test ?all",
    "incnone": "v=spf1 include:none.spf.test -all",
    "redirect": "v=spf1 redirect=pass.spf.test",
    "redboth": "v=spf1 -all redirect=pass.spf.test",
    "rednone": "v=spf1 redirect=none.spf.test",
    "loop": "v=spf1 include:loop.spf.test",
    "unknown": "v=spf1 moo:cow -all",
    "modifier": "v=spf1 moo=cow ip4:127.0.0.1 -all",
    "badip": "v=spf1 ip4:127.0.0.256 -all",
    "badprefix": "v=spf1 ip4:127.0.0.1/33 -all",
    "late": "v=spf1 +all include",
    "upper": "V=SPF1 IP4:127.0.0.1 -ALL",
    "voids": "v=spf1 a:v1.spf.test a:v2.spf.test a:v3.spf.test +all",
    "manya": "v=spf1 " + "a:host2.spf.test " * 11 + "+all",
    "ip6": "v=spf1 ip6:::1 -all",
    "empty": "v=spf10 -all",
}
ZONE = ("host A 127.0.0.1\nhost2 A 192.0.2.2\nnear A 127.9.9.9\nmail MX 10 host2\nmail MX 20 host\n"
        "1.0.0.127.user-name.in-addr.list A 127.0.0.2\nuser.spf.test.list A 127.0.0.2\n"
        + "".join(f'{name} TXT "{text}"\n' for name, text in RECORDS.items()))
name_server = Knot({"spf.test": ZONE, "0.0.127.in-addr.arpa": "1 PTR host.spf.test.\n",
                    DOMAIN: ""}).start()
server = Server(users=["alice"], settings={
    "dns": {"servers": name_server.address, "trust_anchor": "none"}}).start()


def our_result(sender, n):
    server.deliver("alice", mail.simple_message(f"spf {n}", sender=sender), sender=sender)
    server.wait_for_messages("alice", n)
    with server.imap("alice") as imap:
        imap.select("INBOX")
        imap.ok(f"FETCH {n} BODY.PEEK[HEADER.FIELDS (Authentication-Results)]")
        return re.search(rb"spf=(\w+)", imap.all_literals[0]).group(1).decode()


@test
def both_agree():
    if not spf:
        tap.skip("python3-spf is not installed")
    resolver = dns.resolver.Resolver(configure=False)
    resolver.nameservers, resolver.port = ["127.0.0.1"], name_server.port
    dns.resolver.default_resolver = resolver
    server.run("junk", "level", server.dir, f"alice@{DOMAIN}", "off")
    for n, name in enumerate(RECORDS, 1):
        sender = f"user-name@{name}.spf.test"
        theirs = spf.check2(i="127.0.0.1", s=sender, h="client.test")[0]
        expect_equal(our_result(sender, n), theirs, f"{name}: {RECORDS[name]}")


def all_stops_cleanly():
    server.remove()
    name_server.stop()


tap.finish(cleanup=all_stops_cleanly)

"""`bourse dkim` and `bourse dns`: what they print is what a zone needs, shown by a name server that
serves exactly that."""

import os
import re

from harness import tap
from harness.bourse import DOMAIN, Server
from harness.knot import Knot
from harness.tap import expect, expect_equal, test

server = Server(users=[])


@test
def keys_are_made_listed_and_deleted():
    run, path = server.run, server.dir
    made = server.json("dkim", "create", path, DOMAIN, "--selector", "s1")
    expect_equal(made["type"], "rsa")
    expect_equal(made["name"], f"s1._domainkey.{DOMAIN}")
    expect(re.fullmatch(r"v=DKIM1; k=rsa; p=[A-Za-z0-9+/=]{392}", made["record"]), made["record"])
    made = server.json("dkim", "create", path, DOMAIN, "--selector", "e1", "--type", "ed25519")
    expect(re.fullmatch(r"v=DKIM1; k=ed25519; p=[A-Za-z0-9+/]{43}=", made["record"]), made["record"])
    expect_equal(os.stat(path / "dkim" / DOMAIN / "e1.pem").st_mode & 0o777, 0o600)
    expect_equal([k["selector"] for k in server.json("dkim", "list", path)], ["e1", "s1"])
    expect(run("dkim", "create", path, DOMAIN, "--selector", "s1", check=False).returncode == 1)
    for bad in ("../x", "UP", "a b"):
        done = run("dkim", "create", path, DOMAIN, "--selector", bad, check=False)
        expect(done.returncode == 1 and "selector" in done.stderr, done.stderr)
    expect(run("dkim", "create", path, "else.test", check=False).returncode == 1)
    run("dkim", "create", path, DOMAIN, "--selector", "old")
    run("dkim", "delete", path, DOMAIN, "--selector", "old", "--yes")
    expect(run("dkim", "show", path, DOMAIN, "--selector", "old", check=False).returncode == 1)


@test
def records_are_those_of_a_zone():
    text = server.run("dns", server.dir, DOMAIN).stdout
    for line in text.splitlines():
        expect(line.startswith("; ") or re.match(r"\S+\. IN (MX|TXT|SRV|CNAME|TLSA|CAA) ", line), line)
    for part in (f"{DOMAIN}. IN MX 10 mail.{DOMAIN}.", '"v=spf1 mx -all"', "_dmarc", "e1._domainkey",
                 "s1._domainkey", "_25._tcp.mail", "_mta-sts", "_smtp._tls", "_imaps._tcp",
                 "autodiscover", "CAA"):
        expect(part in text, f"no {part} in {text}")


@test
def check_compares_with_the_dns():
    zone = server.run("dns", server.dir, DOMAIN).stdout
    with Knot({DOMAIN: zone}, signed=[DOMAIN]) as dns:
        server.configure({"dns": {"servers": dns.address, "trust_anchor": str(dns.anchors)}})
        records = server.json("dns", server.dir, "--check")
        for record in records:
            wanted = "unknown" if record["type"] == "CAA" else "ok"
            expect_equal(record["state"], wanted, f"{record['name']} {record['type']}")
    lacking = "\n".join(line for line in zone.splitlines() if " MX " not in line)
    with Knot({DOMAIN: lacking.replace("v=spf1 mx -all", "v=spf1 ?all")}) as dns:
        server.configure({"dns": {"servers": dns.address, "trust_anchor": "none"}})
        done = server.run("dns", server.dir, "--check", check=False)
        expect_equal(done.returncode, 1)
        expect("other servers deliver here (needed): missing" in done.stdout, done.stdout)
        expect('; now: "v=spf1 ?all"' in done.stdout, done.stdout)


def the_data_directory_is_removed():
    server.remove()


tap.finish(cleanup=the_data_directory_is_removed)

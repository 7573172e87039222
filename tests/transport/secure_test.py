#!/usr/bin/python3
"""Which host, and how safely: MX order, null MX, no MX, loops, DNSSEC with DANE, MTA-STS enforced and
refused, REQUIRETLS, against a real name server and servers with certificates."""

import pathlib
import tempfile

from harness import dns, neighbour, outbound, tap
from harness.dns import NameServer, Zone
from harness.neighbour import Neighbour, PolicyHost
from harness.outbound import newest, submit, text, wait_for_queue, wait_until_empty
from harness.tap import expect, expect_equal, test

folder = pathlib.Path(tempfile.mkdtemp(prefix="bourse-secure-"))
NAMES = ["mx.dane.test", "mx.sts.test", "mx.old.test", "mta-sts.sts.test", "mta-sts.old.test",
         "mx.requires.test"]
files = neighbour.make_ca(folder, NAMES)
peer = Neighbour(host="0.0.0.0", tls=files)  # all of 127/8
port = peer.address[1]
key = dns.tlsa(files["cert"])
anchor = dns.tlsa(files["ca"], usage=2, selector=0)
policies = PolicyHost(files, "version: STSv1\nmode: enforce\nmx: mx.sts.test\nmax_age: 86400\n")

names = NameServer({
    "order.test": Zone("@ MX 20 worse\n@ MX 10 better\n@ MX 5 dead\nbetter A 127.0.0.2\n"
                       "worse A 127.0.0.3\n"),
    "null.test": Zone("@ MX 0 .\n"),
    "plain.test": Zone("@ A 127.0.0.4\n"),
    "loop.test": Zone("@ MX 10 mail.example.test.\n@ MX 20 backup\nbackup A 127.0.0.5\n"),
    "spare.test": Zone("@ MX 20 mail.example.test.\n@ MX 10 first\nfirst A 127.0.0.6\n"),
    "example.test": Zone("mail A 127.0.0.1\n"),
    "dane.test": Zone(f"@ MX 10 mx\nmx A 127.0.0.7\n_{port}._tcp.mx TLSA {key}\n", signed=True),
    "anchor.test": Zone(f"@ MX 10 mx.dane.test.\n", signed=True),
    "forged.test": Zone(f"@ MX 10 mx\nmx A 127.0.0.8\n_{port}._tcp.mx TLSA 3 1 1 {'00' * 32}\n",
                        signed=True),
    "bogus.test": Zone("@ MX 10 mx\nmx A 127.0.0.9\n", signed=True, wrong_anchor=True),
    "sts.test": Zone("@ MX 10 mx\nmx A 127.0.0.10\n_mta-sts TXT \"v=STSv1; id=1;\"\n"
                     "mta-sts A 127.0.0.1\n"),
    "old.test": Zone("@ MX 10 mx\nmx A 127.0.0.11\n_mta-sts TXT \"v=STSv1; id=1;\"\n"
                     "mta-sts A 127.0.0.1\n"),
    "requires.test": Zone("@ MX 10 mx\nmx A 127.0.0.12\n", signed=True),
}).start()
server = outbound.server(dns=names, port=port, ca=files["ca"], mta_sts_port=policies.port,
                         expire="1h").start()
reports = 0


def send(domain, **options):
    """Sends to a domain; the message that arrived, once the server knows that it did (a connection cut
    before would have it sent again)."""
    before = len(peer.messages)
    submit(server, [f"joe@{domain}"], text(f"to {domain}"), **options)
    message = peer.wait_for(before + 1)[-1]
    wait_for_queue(server, lambda entries: not any(f"joe@{domain}" in e["recipients"]
                                                   for e in entries), "it left")
    return message


def bounce(domain, **options):
    """Sends to a domain; the report that came back."""
    global reports
    submit(server, [f"joe@{domain}"], text(f"to {domain}"), **options)
    reports += 1
    return newest(server, "alice", reports).decode()


def defer(domain, **options):
    """Sends to a domain; the reason why it waits. It is dropped then."""
    before = len(peer.messages)
    submit(server, [f"joe@{domain}"], text(f"to {domain}"), **options)
    entry = wait_for_queue(server, lambda es: es and es[0]["attempts"] > 0, "deferred")[0]
    shown = server.json("queue", "show", server.dir, entry["id"])
    server.run("queue", "hold", server.dir, entry["id"])
    server.run("queue", "drop", server.dir, entry["id"], "--yes")
    expect_equal(len(peer.messages), before, "it was sent all the same")
    return str(shown)


@test
def the_best_host_that_answers_is_taken():
    expect_equal(send("order.test").address, "127.0.0.2")


@test
def a_domain_without_mx_is_its_own_host():
    expect_equal(send("plain.test").address, "127.0.0.4")


@test
def address_literals_need_no_dns():
    expect_equal(send("[127.0.0.20]").address, "127.0.0.20")


@test
def null_mx_and_missing_domains_fail_at_once():
    expect("Status: 5.1.10" in bounce("null.test"))
    expect("Status: 5.1.2" in bounce("nowhere.order.test"))


@test
def mail_does_not_come_back_to_ourselves():
    expect("Status: 5.4.6" in bounce("loop.test"))
    expect_equal(send("spare.test").address, "127.0.0.6")


@test
def tls_is_used_where_it_is_offered():
    expect(send("plain.test").tls, "in the clear")


@test
def dane_is_verified():
    message = send("dane.test")
    expect(message.tls and message.address == "127.0.0.7", message)
    expect_equal(send("anchor.test").address, "127.0.0.7")


@test
def dane_refuses_another_key():
    reason = defer("forged.test")
    expect("certificate" in reason, reason)


@test
def bogus_answers_defer():
    reason = defer("bogus.test")
    expect("DNS" in reason, reason)


@test
def mta_sts_is_enforced():
    message = send("sts.test")
    expect(message.tls and message.address == "127.0.0.10", message)
    expect((server.dir / "mta-sts" / "sts.test").exists())
    fetched = policies.n_requests
    send("sts.test")
    expect_equal(policies.n_requests, fetched, "fetched again")


@test
def mta_sts_refuses_other_hosts():
    reason = defer("old.test")  # the policy names mx.sts.test
    expect("MTA-STS" in reason, reason)


@test
def mta_sts_needs_tls():
    tls, peer.tls = peer.tls, None
    peer.hang_up()
    try:
        reason = defer("sts.test")
        expect("does not offer TLS" in reason, reason)
        expect(not send("plain.test").tls)
    finally:
        peer.tls = tls
        peer.hang_up()


@test
def a_kept_policy_counts_while_its_host_is_away():
    policies.stop()
    server.restart()
    message = send("sts.test")
    expect(message.tls, message)


@test
def requiretls_waits_for_a_host_that_promises_it():
    reason = defer("requires.test", options=" REQUIRETLS", service="submissions")
    expect("does not promise" in reason, reason)  # DNSSEC and its certificate are good
    reason = defer("plain.test", options=" REQUIRETLS", service="submissions")
    expect("cannot be verified" in reason, reason)
    peer.extensions.append("REQUIRETLS")
    peer.hang_up()
    message = send("requires.test", options=" REQUIRETLS", service="submissions")
    expect("REQUIRETLS" in message.options[0], message)
    peer.extensions.remove("REQUIRETLS")
    peer.hang_up()


@test
def what_may_not_go_in_the_clear_comes_back_in_the_end():
    tls, peer.tls = peer.tls, None
    peer.hang_up()
    other = outbound.server(["alice"], dns=names, port=port, ca=files["ca"], tls="required",
                            expire="2s")
    with other:
        submit(other, ["joe@plain.test"], text("secret"))
        report = newest(other, "alice", 1).decode()
        expect("Status: 5.7.10" in report, report)
        wait_until_empty(other)
    peer.tls = tls
    peer.hang_up()


@test
def a_smarthost_is_verified_and_logged_in_to():
    (folder / "password").write_text("secret\n")
    peer.login = ("us", "secret")
    other = outbound.server(["alice"], dns=names, ca=files["ca"], smarthost=f"mx.dane.test:{port}",
                            smarthost_user="us", smarthost_password_file=folder / "password")
    before = len(peer.messages)
    with other:
        submit(other, ["joe@anywhere.test"], text("by smarthost"))
        expect(peer.wait_for(before + 1)[-1].tls)
        wait_until_empty(other)
    peer.login = None


def all_stops():
    wait_until_empty(server)
    server.remove()
    names.stop()
    peer.stop()


tap.finish(all_stops)

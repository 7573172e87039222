"""Mail that leaves is signed with the keys of `bourse dkim`, and python3-dkim finds it right."""

from harness import outbound, tap
from harness.bourse import DOMAIN
from harness.neighbour import Neighbour
from harness.outbound import submit, text, wait_until_empty
from harness.tap import expect, expect_equal, test

try:
    import dkim
except ImportError:
    dkim = None

peer = Neighbour()
server = outbound.server(routes=f"peer.test=127.0.0.1:{peer.address[1]}").start()
keys = {}


def next_message(subject, **options):
    """What the neighbour gets of a message that alice sends."""
    n = len(peer.messages)
    submit(server, ["joe@peer.test"], text(subject, **options))
    return peer.wait_for(n + 1)[-1].data


def create(selector, kind):
    made = server.json("dkim", "create", server.dir, DOMAIN, "--selector", selector, "--type", kind)
    keys[made["name"].encode() + b"."] = made["record"].encode()


@test
def without_keys_nothing_is_signed():
    expect(b"DKIM-Signature" not in next_message("plain"))


@test
def a_running_server_uses_new_keys_at_once():
    if not dkim:
        tap.skip("python3-dkim is not installed")
    create("s1", "rsa")
    create("e1", "ed25519")
    for subject, options in (("short", {}), ("=?utf-8?q?=C3=A4?= " + "long " * 40, {}),
                             ("dots", {"body": "..\r\n.x\r\n\r\n\r\n"}),
                             ("fields", {"extra": "Reply-To: a@b.test\r\nCc: c@d.test\r\n"})):
        message = next_message(subject, **options)
        check = dkim.DKIM(message)
        expect_equal(message.count(b"DKIM-Signature:"), 2)
        for i in range(2):
            expect(check.verify(idx=i, dnsfunc=lambda name, timeout=5: keys.get(name)),
                   f"signature {i} of {message!r}")
        forged = b"From: eve@evil.test\r\n" + message
        expect(not dkim.DKIM(forged).verify(dnsfunc=lambda name, timeout=5: keys.get(name)))


@test
def a_deleted_key_is_used_no_more():
    server.run("dkim", "delete", server.dir, DOMAIN, "--selector", "e1", "--yes")
    message = next_message("after")
    expect_equal(message.count(b"DKIM-Signature:"), 1 if keys else 0)
    wait_until_empty(server)


def all_stops_cleanly():
    server.remove()
    peer.stop()


tap.finish(cleanup=all_stops_cleanly)

#!/usr/bin/python3
"""What goes wrong elsewhere, and here: the DNS down, servers that are down, slow, silent, that refuse
for now or cut the connection within a message, and kill -9 while mail leaves. The queue only grows
meanwhile; nothing is lost, and it drains after."""

import collections
import random
import re
import time

from harness import outbound, tap
from harness.dns import NameServer, Zone
from harness.neighbour import Cut, Neighbour
from harness.outbound import queue, submit, text, wait_for_queue, wait_until_empty
from harness.tap import expect, expect_equal, test

peer = Neighbour(host="0.0.0.0")  # all of 127/8
port = peer.address[1]
SLOW = 40  # destinations that accept and say nothing
names = NameServer({"dns.test": Zone("@ MX 10 mx\nmx A 127.0.0.2\n")}).start()
routes = ", ".join([f"up.test=127.0.0.1:{port}", "down.test=127.0.0.3:1"]
                   + [f"slow{i}.test=127.1.0.{i + 1}:{port}" for i in range(SLOW)])
server = outbound.server(dns=names, port=port, routes=routes, retry_max="1s", connections="20",
                         timeout_command="60s").start()


def subjects(messages):
    return collections.Counter(re.search(rb"Subject: (.*)\r\n", m.data).group(1).decode()
                               for m in messages)


def deferred(what):
    return wait_for_queue(server, lambda es: es and all(e["attempts"] > 0 for e in es), what)


@test
def the_dns_is_down():
    names.pause()
    for i in range(3):
        submit(server, ["joe@dns.test"], text(f"dns {i}"))
    entries = deferred("the DNS is down")
    names.go_on()
    expect(all("DNS" in e["reason"] for e in entries), entries)
    wait_until_empty(server)
    expect_equal(subjects(peer.messages), {f"dns {i}": 1 for i in range(3)})


@test
def a_server_is_down_and_comes_back():
    submit(server, ["joe@down.test"], text("down"))
    entries = deferred("connection refused")
    expect("refused" in entries[0]["reason"], entries)
    found = [d for d in server.json("queue", "destinations", server.dir) if d["failures"]]
    expect(found and "127.0.0.3" in found[0]["destination"], found)
    server.run("queue", "hold", server.dir, entries[0]["id"])
    server.run("queue", "drop", server.dir, entries[0]["id"], "--yes")
    wait_until_empty(server)


@test
def refusals_for_now_end_some_time():
    before = len(peer.messages)
    count = collections.Counter()

    def later(argument):
        count[argument] += 1
        return "451 4.3.2 busy" if count[argument] < 3 else "250 ok"
    peer.rules["MAIL"] = later
    submit(server, ["joe@up.test"], text("busy"))
    peer.wait_for(before + 1)
    del peer.rules["MAIL"]
    wait_until_empty(server)


@test
def connections_are_cut_within_messages():
    before = len(peer.messages)
    tries = collections.Counter()

    def cut(data):
        tries["all"] += 1
        if tries["all"] % 3:
            raise Cut
        return "250 2.0.0 taken"
    peer.rules["END"] = cut
    for i in range(5):
        submit(server, ["joe@up.test"], text(f"cut {i}"))
    wait_until_empty(server)
    del peer.rules["END"]
    # None was taken when the connection was cut, so none is there twice.
    expect_equal(subjects(peer.messages[before:]), {f"cut {i}": 1 for i in range(5)})


@test
def slow_servers_hold_up_nobody():
    before = len(peer.messages)
    held = peer.rules

    def silent(_argument):
        return "220 neighbour.test ESMTP"
    peer.rules = {**held, "CONNECT": silent}
    import threading
    release = threading.Event()

    def wait_in_mail(argument):
        if "slow" in argument:
            release.wait(120)
        return "250 ok"
    peer.rules["RCPT"] = wait_in_mail
    for i in range(SLOW):
        submit(server, [f"joe@slow{i}.test"], text(f"slow {i}"))
    time.sleep(1)
    start = time.monotonic()
    submit(server, ["joe@up.test", "bob@example.test"], text("quick"))
    server.wait_for_messages("bob", 1)
    local = time.monotonic() - start
    peer.wait_for(before + 1)
    expect_equal(subjects(peer.messages[before:]), {"quick": 1})
    tap.note(f"local after {local:.1f} s, elsewhere after {time.monotonic() - start:.1f} s")
    expect(local < 5, f"local delivery waited {local:.1f} s")
    release.set()
    peer.rules = held
    wait_until_empty(server)
    expect_equal(len(peer.messages) - before, SLOW + 1)


@test
def kill_9_while_relaying_loses_nothing():
    before = len(peer.messages)
    peer.rules["END"] = lambda _data: time.sleep(random.uniform(0, 0.02)) or "250 2.0.0 taken"
    sent = 0
    for _round in range(4):
        for _ in range(15):
            submit(server, ["joe@up.test", "sue@dns.test"], text(f"kill {sent}"))
            sent += 1
        server.kill()
        server.start()
    wait_until_empty(server)
    del peer.rules["END"]
    got = subjects(peer.messages[before:])
    missing = [i for i in range(sent) if got[f"kill {i}"] < 2]
    expect(not missing, f"lost: {missing}")
    doubles = sum(n - 2 for n in got.values())
    tap.note(f"{sent} messages to two places each, {doubles} twice")
    expect(doubles <= 4 * 2 * 20, f"{doubles} doubles")  # what was under way at a kill


def all_stops():
    expect(not queue(server))
    server.remove()
    names.stop()
    peer.stop()


tap.finish(all_stops)

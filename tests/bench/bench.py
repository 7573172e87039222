#!/usr/bin/python3
"""Measures Bourse beside Debian's Dovecot: same machine, same run, interleaved, the same promise to
fsync, fresh mailboxes; prints a table and puts it into docs/PERFORMANCE.md.

    tests/bench/bench.py [--quick] [--only PART,...] [--peer-only] [--no-write]

Parts: deliver, imap, small, idle, flat, shared, mixed, wake, pop3, store, relay (beside Postfix), ews. Environment:
BENCH_FULL=1 (1,000,000 messages in flat and store), BENCH_ROUNDS (3), BENCH_IDLE (5000), BENCH_BUSY (50)."""

import argparse
import datetime
import json
import os
import pathlib
import platform
import random
import re
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

TOP = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(TOP / "tests"))

import peers  # noqa: E402
from daily import mixed, pop3, wake  # noqa: E402
from ews import ews  # noqa: E402
from relay import relay  # noqa: E402
from harness.bourse import DOMAIN  # noqa: E402

LOAD = TOP / "build" / "bench-load"
BUSY = TOP / "build" / "bench-busy"
SIZE = 10_240


def say(text):
    print(text, flush=True)


class Rows:
    """What was measured: row -> server -> values of the rounds."""

    def __init__(self):
        self.order, self.values, self.units, self.goals = [], {}, {}, {}
        self.part, self.parts = "", {}  # the part being measured; row -> its part

    def add(self, row, unit, server, value, goal=""):
        if row not in self.values:
            self.order.append(row)
            self.values[row], self.units[row], self.goals[row] = {}, unit, goal
            self.parts[row] = self.part
        self.values[row].setdefault(server, []).append(value)
        say(f"  {server}: {row}: {value:.4g} {unit}")

    def median(self, row, server):
        values = self.values[row].get(server)
        return statistics.median(values) if values else None

    def table(self, part):
        other = next((name for row in self.order if self.parts[row] == part
                      for name in self.values[row] if name != "Bourse"), "Dovecot")
        lines = [f"| what | Bourse | {other} | ratio | goal |", "|---|---:|---:|---:|---|"]
        for row in self.order:
            if self.parts[row] != part:
                continue
            ours, peer = self.median(row, "Bourse"), self.median(row, other)
            unit = self.units[row]
            ratio = f"{ours / peer:.2f}" if ours is not None and peer else ""
            lines.append(f"| {row} | {shown(ours, unit)} | {shown(peer, unit)} | {ratio} | "
                         f"{self.goals[row]} |")
        return "\n".join(lines)


def shown(value, unit):
    if value is None:
        return "–"
    if unit == "B":
        for name in ("B", "KiB", "MiB", "GiB"):
            if value < 10240 or name == "GiB":
                return f"{value:.3g} {name}" if value < 1000 else f"{value:.0f} {name}"
            value /= 1024
    if unit == "s" and value < 1:
        value, unit = value * 1000, "ms"
    text = f"{value:.0f}" if value >= 1000 else f"{value:.3g}"
    return f"{text} {unit}".strip()


def build_load():
    LOAD.parent.mkdir(exist_ok=True)
    for program, source in ((LOAD, "load.c"), (BUSY, "busy.c")):
        subprocess.run(["gcc", "-O2", "-std=gnu17", "-Wall", "-Wextra", "-o", str(program),
                        str(TOP / "tests/bench" / source), "-pthread"], check=True)


def load(peer, connections, messages, prefix, users, first):
    host, port = peer.address("smtp")
    done = subprocess.run([str(LOAD), peer.protocol, host, str(port), str(connections), str(messages),
                           str(SIZE), prefix, str(users), DOMAIN, str(first)], check=False, text=True,
                          capture_output=True)
    if done.returncode != 0:
        raise RuntimeError(f"{peer.name}: {done.stdout} {done.stderr}")
    return json.loads(done.stdout)


def timed(imap, command):
    """(seconds, bytes) until the tagged OK; the answer is read and dropped."""
    buffer = bytearray(1 << 20)
    view = memoryview(buffer)
    imap.tag += 1
    tag = b"b%d" % imap.tag
    end = re.compile(rb"(?:^|\n)" + tag + rb" (OK|NO|BAD)[^\r\n]*\r\n$")
    tail, total = b"", 0
    start = time.perf_counter()
    imap.socket.sendall(tag + b" " + command.encode() + b"\r\n")
    while True:
        n = imap.socket.recv_into(view)
        if n == 0:
            raise RuntimeError(f"{command}: connection closed")
        total += n
        tail = (tail + bytes(view[max(0, n - 500):n]))[-500:]
        if match := end.search(tail):
            seconds = time.perf_counter() - start
            if match.group(1) != b"OK":
                raise RuntimeError(f"{command}: {tail[-200:]!r}")
            return seconds, total


def best_of(imap, command, n=5):
    return statistics.median(timed(imap, command)[0] for _ in range(n))


# --- Parts ---

def deliver(servers, rows, options):
    """5,000 x 10 KB into 1 and into 100 mailboxes over 1 and 16 connections, until all are in the
    mailboxes."""
    first = 1
    stored = {s.name: 0 for s in servers}
    before_all = {}
    for peer in servers:
        peer.stop()
        before_all[peer.name] = peers.disk(peer.data())
        peer.start()
    for round_number in range(options.rounds):
        for users in (1, 100):
            for connections in (1, 16):
                order = servers if round_number % 2 == 0 else list(reversed(servers))
                for peer in order:
                    prefix = f"d{round_number}x{users}x{connections}u"
                    names = [prefix] if users == 1 else [f"{prefix}{i}" for i in range(users)]
                    peer.add_users(names)
                    watchers = [peer.imap(name) for name in names]
                    peers.settle()
                    cpu = peers.cpu_seconds(peer.pid)
                    start = time.monotonic()
                    result = load(peer, connections, options.messages, prefix,
                                  0 if users == 1 else users, first)
                    acknowledged = time.monotonic() - start
                    waiting = list(watchers)
                    missing = options.messages // users
                    while waiting:
                        waiting = [w for w in waiting
                                   if w.status("INBOX", "MESSAGES")["MESSAGES"] < missing]
                        if time.monotonic() - start > 600:
                            raise RuntimeError(f"{peer.name}: {len(waiting)} mailboxes incomplete")
                    seconds = time.monotonic() - start
                    if peer.protocol == "lmtp":
                        seconds = acknowledged  # LMTP answers when it is in the mailbox
                    cpu = peers.cpu_seconds(peer.pid) - cpu
                    what = f"{users} mailbox{'es' if users > 1 else ''}, {connections} connection" \
                           f"{'s' if connections > 1 else ''}"
                    goal = "2x (3x)" if connections == 1 else "2x (8x)"
                    rows.add(f"deliver {SIZE // 1024} KB, {what}", "/s", peer.name,
                             options.messages / seconds, goal)
                    rows.add(f"CPU a delivered message, {what}", "ms", peer.name,
                             cpu / options.messages * 1000, "1 ms")
                    rows.add(f"time to the answer, median, {what}", "ms", peer.name,
                             result["p50_us"] / 1000)
                    for w in watchers:
                        w.logout()
                    stored[peer.name] += options.messages
                first += options.messages
    for peer in servers:
        if options.rounds:
            with peer.imap("d0x1x1u") as imap:
                imap.select()
                rows.add("FETCH 100 bodies of 10 KB", "s", peer.name,
                         best_of(imap, "FETCH 1:100 (BODY.PEEK[])", 9), "3 ms")
        peer.stop()
        used = peers.disk(peer.data()) - before_all[peer.name]
        rows.add("disk a 10 KB message, everything included", "B", peer.name,
                 used / max(1, stored[peer.name]), "11 KiB")
        peer.start()


def write_mbox(path, n, seed=3):
    """n messages of about 2 KB as an mbox file; one in 2,000 has the word that SEARCH looks for."""
    r = random.Random(seed)
    words = [f"{a}{b}{c}" for a in ("pro", "con", "re", "in", "ex", "sub") for b in
             ("duc", "fer", "spec", "tract", "port", "ject") for c in ("tion", "ing", "s", "ed", "or")]
    with open(path, "w", encoding="ascii") as out:
        for i in range(n):
            sender = f"{r.choice(words)}.{r.choice(words)}"
            body = "\n".join(" ".join(r.choices(words, k=9)) for _ in range(r.randrange(8, 32)))
            needle = "the needle17 is here\n" if i % 2000 == 77 else ""
            day = 1 + i * 27 // max(1, n)
            out.write(f"From {sender}@remote.test Mon Nov {day:2d} 09:00:00 2026\n"
                      f"From: {sender.title()} <{sender}@remote.test>\n"
                      f"To: Reader <reader@example.test>, Other <other{i % 50}@example.test>\n"
                      f"Subject: {' '.join(r.choices(words, k=5))} {i}\n"
                      f"Date: Mon, {day:02d} Nov 2026 09:{i % 60:02d}:00 +0000\n"
                      f"Message-ID: <mbox.{seed}.{i}@remote.test>\nReferences: <mbox.{seed}.{i // 2}@remote.test>\n"
                      "MIME-Version: 1.0\nContent-Type: text/plain; charset=us-ascii\n\n"
                      f"{body}\n{needle}\n")


def fill(servers, user, n, scratch, seed):
    path = scratch / f"{user}.mbox"
    write_mbox(path, n, seed)
    for p in (scratch, path):  # the peer imports as another user, and mbox wants a lock beside it
        p.chmod(0o777)
    for peer in servers:
        peer.add_users([user])
        start = time.monotonic()
        peer.fill(user, path)
        say(f"  {peer.name}: {n} messages imported in {time.monotonic() - start:.0f} s")
    path.unlink()


QUESTIONS = [
    ("FETCH 1:* (FLAGS INTERNALDATE RFC822.SIZE)", "no slower"),
    ("FETCH 1:* (ENVELOPE)", "no slower"),
]


def imap(servers, rows, options):
    """A folder of 100,000: cold (server just started, page cache dropped) and warm."""
    n = options.folder
    scratch = pathlib.Path(tempfile.mkdtemp(prefix="bourse-bench-"))
    fill(servers, "reader", n, scratch, 3)
    shutil.rmtree(scratch)
    for peer in servers:  # whatever the server prepares on first sight is prepared now
        with peer.imap("reader") as connection:
            if connection.select() != n:
                raise RuntimeError(f"{peer.name}: not {n} messages")
            for question, _ in QUESTIONS:
                timed(connection, question)
    peers.settle()
    for round_number in range(options.rounds):
        for question, goal in QUESTIONS:
            for peer in servers if round_number % 2 == 0 else list(reversed(servers)):
                peer.stop()
                dropped = peers.drop_caches()
                peer.start()
                with peer.imap("reader") as connection:
                    select, _ = timed(connection, "SELECT INBOX")
                    how = "cold" if dropped else "cold (page cache kept)"
                    rows.add(f"SELECT alone of {n:,}, {how}", "s", peer.name, select)
                    rows.add(f"SELECT + {question} of {n:,}, {how}", "s", peer.name,
                             select + timed(connection, question)[0], goal)
                    timed(connection, question)
                with peer.imap("reader") as connection:
                    select, _ = timed(connection, "SELECT INBOX")
                    rows.add(f"SELECT alone of {n:,}, warm", "s", peer.name, select, "no slower")
                    rows.add(f"SELECT + {question} of {n:,}, warm", "s", peer.name,
                             select + timed(connection, question)[0], goal)
        for peer in servers:
            with peer.imap("reader") as connection:
                connection.select()
                for sign in "+-":
                    seconds, _ = timed(connection, f"STORE 1:* {sign}FLAGS (\\Flagged)")
                    rows.add(f"STORE 1:* +FLAGS or -FLAGS of {n:,}", "s", peer.name, seconds, "no slower")
                rows.add(f"SEARCH TEXT of {n:,}", "s", peer.name,
                         timed(connection, "SEARCH TEXT needle17")[0], "no slower")
                rows.add(f"SEARCH SUBJECT of {n:,}", "s", peer.name,
                         timed(connection, "SEARCH SUBJECT needle17")[0], "no slower")
                rows.add(f"SEARCH UNSEEN of {n:,}", "s", peer.name,
                         timed(connection, "SEARCH UNSEEN")[0], "no slower")


def small(servers, rows, options):
    """Folders of everyday size."""
    scratch = pathlib.Path(tempfile.mkdtemp(prefix="bourse-bench-"))
    fill(servers, "thousand", 1000, scratch, 4)
    fill(servers, "fourthousand", 4000, scratch, 5)
    shutil.rmtree(scratch)
    for _ in range(options.rounds):
        for peer in servers:
            peer.stop()
            peer.start()
            with peer.imap("thousand") as connection:
                rows.add("first SELECT of 1,000", "s", peer.name,
                         timed(connection, "SELECT INBOX")[0], "10 ms")
                timed(connection, "FETCH 1:* (FLAGS)")
                rows.add("FETCH 1:* FLAGS of 1,000, warm", "s", peer.name,
                         best_of(connection, "FETCH 1:* (FLAGS)", 9), "1 ms")
            with peer.imap("fourthousand") as connection:
                connection.select()
                timed(connection, "FETCH 1:* (FLAGS ENVELOPE)")
                rows.add("FETCH 1:* (FLAGS ENVELOPE) of 4,000, warm", "s", peer.name,
                         best_of(connection, "FETCH 1:* (FLAGS ENVELOPE)", 5), "30 ms")


def idle(servers, rows, options):
    """Memory of idle connections, plain and TLS; the peer holds fewer (a process each)."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 20_000), hard))
    for peer in servers:
        count = options.idle if peer.name == "Bourse" else options.peer_idle
        peer.add_users([f"idle{i}" for i in range(10)])
        for tls in (False, True):
            peer.stop()
            peer.start()
            warm = [peer.imap(f"idle{i}", tls=tls) for i in range(10)]  # what the first ones bring up
            for connection in warm:
                connection.select()
                connection.idle()
            before = peers.memory(peer.pid)
            start = time.monotonic()
            held = []
            for i in range(count):
                connection = peer.imap(f"idle{i % 10}", tls=tls)
                connection.select()
                connection.idle()
                held.append(connection)
            time.sleep(1)
            each = (peers.memory(peer.pid) - before) / count
            kind = "TLS" if tls else "plain"
            rows.add(f"memory an idle {kind} connection ({count:,} in IDLE; Dovecot "
                     f"{options.peer_idle:,})" if peer.name == "Bourse" or len(servers) == 1 else
                     f"memory an idle {kind} connection ({options.idle:,} in IDLE; Dovecot "
                     f"{options.peer_idle:,})", "B", peer.name, each, "16 KiB")
            say(f"  {peer.name}: {count} {kind} connections in {time.monotonic() - start:.0f} s")
            for connection in held + warm:
                connection.close()
            time.sleep(1)
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def flat(servers, rows, options):
    """One delivery into an empty folder against one into a full one."""
    scratch = pathlib.Path(tempfile.mkdtemp(prefix="bourse-bench-"))
    n = options.flat
    fill(servers, "full", n, scratch, 6)
    shutil.rmtree(scratch)
    first = 50_000_000
    count = max(100, options.messages // 10)
    for round_number in range(options.rounds):
        for peer in servers if round_number % 2 == 0 else list(reversed(servers)):
            results = {}
            for user in (f"empty{round_number}", "full"):
                if user != "full":
                    peer.add_users([user])
                load(peer, 1, 20, user, 0, first)  # opens the mailbox
                peers.settle()
                cpu = peers.cpu_seconds(peer.pid)
                result = load(peer, 1, count, user, 0, first + 1000)
                with peer.imap(user) as connection:
                    end = time.monotonic() + 60
                    wanted = round_number * (count + 20) * (user == "full") + count + 20 + \
                        n * (user == "full")
                    while connection.status("INBOX", "MESSAGES")["MESSAGES"] < wanted:
                        if time.monotonic() > end:
                            raise RuntimeError(f"{peer.name}: {user} incomplete")
                        time.sleep(0.01)
                results[user] = (result["p50_us"], (peers.cpu_seconds(peer.pid) - cpu) / count * 1000)
            first += 10_000
            empty, full = results[f"empty{round_number}"], results["full"]
            rows.add(f"delivery into {n:,} against into an empty folder: time", "x", peer.name,
                     full[0] / empty[0], "1.2x")
            rows.add(f"delivery into {n:,} against into an empty folder: CPU", "x", peer.name,
                     full[1] / max(empty[1], 0.001), "1.2x")


def shared(servers, rows, options):
    """Many busy clients on one mailbox: append, flags, fetch, bodies, IDLE, with pauses between. Ours are
    as many users in one user's shared folder; the peer's are connections of one user."""
    n, seconds, pause = options.busy, options.busy_seconds, 100
    for round_number in range(options.rounds):
        for peer in servers if round_number % 2 == 0 else list(reversed(servers)):
            who, mailbox = peer.share(f"team{round_number}", n)
            peers.settle()
            host, port = peer.address("imap")
            cpu = peers.cpu_seconds(peer.pid)
            done = subprocess.run([str(BUSY), host, str(port), str(n), str(seconds), str(pause), who,
                                   peer.password, mailbox], check=False, text=True, capture_output=True)
            if done.returncode != 0:
                raise RuntimeError(f"{peer.name}: {done.stdout} {done.stderr}")
            result = json.loads(done.stdout)
            cpu = peers.cpu_seconds(peer.pid) - cpu
            for kind in ("append", "flag", "fetch", "body", "idle"):
                if kind in result:
                    for point in ("p50", "p95", "p99"):
                        rows.add(f"{n} busy clients on one mailbox: {kind}, {point}", "s", peer.name,
                                 result[kind][f"{point}_us"] / 1e6, "no slower" if point != "p50" else "")
            rows.add(f"{n} busy clients on one mailbox: operations", "/s", peer.name,
                     result["operations"] / result["seconds"], "no fewer")
            rows.add(f"{n} busy clients on one mailbox: CPU an operation", "ms", peer.name,
                     cpu / result["operations"] * 1000)


# What store_views prints: pattern, row (with what the pattern found), scale to the unit, unit, goal.
VIEW_LINES = [
    (r"(\w+) +open\+sort cold +([\d.]+) ms", "open and sort {n} by {0}, cold", "s", "1 s"),
    (r"(\w+) +open\+sort cold.* again ([\d.]+) ms", "open and sort {n} by {0}, warm", "s", "50 ms"),
    (r"first 50 rows \((\w+)\): ([\d.]+) ms", "first 50 rows of {n} by {0}", "s", ""),
    (r'restrict by (\w+) contains .*?, ([\d.]+) ms', "restrict {n} by {0}, substring", "s", ""),
    (r"delivery with (50) views: commit ([\d.]+) ms", "delivery with {0} views of {n} open: commit", "s", "5 ms"),
    (r"delivery with (50) views: .* renewal of all ([\d.]+) ms", "delivery with {0} views of {n} open: all renewed", "s", "5 ms"),
    (r"(memory) of one view by subject: ([\d.]+) bytes a row", "{0} a row of a view of {n}", "B", "64 B"),
]


# What imap_sort prints.
SORT_LINES = [
    (r"(SORT \w+|THREAD \w+, first|SORT \w+, first): ([\d.]+) ms", "{0} of {n}", "s", ""),
    (r"(THREAD \w+): ([\d.]+) ms", "{0} of {n}", "s", ""),
]


def store(_servers, rows, options):
    """Views and full text, straight at the store; no peer has the like."""
    subprocess.run(["ninja", "-C", str(TOP / "build"), "--quiet", "store_views", "store_fulltext",
                    "imap_sort"], check=True)
    scratch = pathlib.Path(tempfile.mkdtemp(prefix="bourse-bench-"))
    # The first run fills the mailbox and looks at every column for the first time ever, which saves
    # them; the second is a server that was started again.
    for n in options.views:
        place = scratch / f"views{n}"
        views = [str(TOP / "build" / "store_views"), str(place), str(n)]
        for run, lines in (("first use ever", VIEW_LINES[:1]), ("", VIEW_LINES)):
            done = subprocess.run(views, capture_output=True, text=True, check=True)
            add_view_rows(rows, done.stdout, run, lines, n)
        shutil.rmtree(place)
    done = subprocess.run([str(TOP / "build" / "store_fulltext"), str(scratch / "text"), str(options.texts)],
                          capture_output=True, text=True, check=True)
    for line in done.stdout.splitlines():
        figure = json.loads(line) if line.startswith("{") else {}
        if figure.get("figure") == "query":
            rows.add(f"full text in {options.texts:,}: {figure['name']}, {figure['how']}", "s", "Bourse",
                     figure["median_ms"] / 1000, "50 ms")
        elif figure.get("figure") == "index":
            rows.add(f"indexing {options.texts:,} messages of 1 KB, CPU a message", "ms", "Bourse",
                     figure["cpu_seconds"] / options.texts * 1000)
    n = options.folder
    done = subprocess.run([str(TOP / "build" / "imap_sort"), str(scratch / "sort"), str(n)],
                          capture_output=True, text=True, check=True)
    add_view_rows(rows, done.stdout, "", SORT_LINES, n)
    shutil.rmtree(scratch)


def add_view_rows(rows, output, run, patterns, n):
    """What store_views printed, as rows; `run` names what is special about them."""
    for line in output.splitlines():
        for pattern, name, unit, goal in patterns:
            if match := re.search(pattern, line):
                value = float(match.group(2)) / (1000 if unit == "s" else 1)
                name = name.format(match.group(1), n=f"{n:,}")
                rows.add(f"{name}, {run}" if run else name, unit, "Bourse", value, "" if run else goal)


def ics(_servers, rows, options):
    """Synchronization by ICS, through ROP buffers; no peer has the like."""
    subprocess.run(["ninja", "-C", str(TOP / "build"), "--quiet", "ics"], check=True)
    scratch = pathlib.Path(tempfile.mkdtemp(prefix="bourse-bench-"))
    for n, more in ((options.folder, []), (options.views[-1], ["--incremental"])):
        done = subprocess.run([str(TOP / "build" / "ics"), str(scratch / str(n)), str(n), *more],
                              capture_output=True, text=True, check=True)
        whole = re.search(r"([\d.]+) messages/s, ([\d.]+) MB/s, ([\d.]+) MiB", done.stdout)
        if whole:
            rows.add(f"ICS: whole download of {n:,}", "messages/s", "Bourse", float(whole.group(1)))
            rows.add(f"ICS: whole download of {n:,}, stream", "MB/s", "Bourse", float(whole.group(2)))
            rows.add(f"ICS: whole download of {n:,}, memory", "MiB", "Bourse", float(whole.group(3)))
        some = re.search(r"([\d.]+) ms \(median\)", done.stdout)
        rows.add(f"ICS: download after 10 changes in a folder of {n:,}", "s", "Bourse",
                 float(some.group(1)) / 1000, "5 ms")
    shutil.rmtree(scratch)


PARTS = {"deliver": deliver, "small": small, "imap": imap, "flat": flat, "idle": idle, "shared": shared,
         "mixed": mixed, "wake": wake,
         "pop3": lambda servers, rows, options: pop3(servers, rows, options, fill),
         "store": store, "relay": relay,
         "ews": lambda servers, rows, options: ews(servers, rows, options, write_mbox),
         "ics": ics}


def parse():
    parser = argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true", help="a tenth of everything, one round")
    parser.add_argument("--only", help="parts, separated by commas")
    parser.add_argument("--peer-only", action="store_true", help="only Dovecot")
    parser.add_argument("--ours-only", action="store_true", help="only Bourse")
    parser.add_argument("--no-write", action="store_true", help="leave docs/PERFORMANCE.md alone")
    parser.add_argument("--dovecot-format", default="sdbox", choices=["sdbox", "mdbox", "maildir"])
    options = parser.parse_args()
    env = os.environ
    options.rounds = int(env.get("BENCH_ROUNDS", "1" if options.quick else "3"))
    options.messages = 500 if options.quick else 5000
    options.folder = 10_000 if options.quick else 100_000
    options.flat = 1_000_000 if env.get("BENCH_FULL") else options.folder
    options.views = [1000, 100_000] if options.quick else [1000, 100_000, 1_000_000]
    options.texts = 1_000_000 if env.get("BENCH_FULL") else 10_000 if options.quick else 100_000
    options.idle = int(env.get("BENCH_IDLE", "200" if options.quick else "5000"))
    options.busy = int(env.get("BENCH_BUSY", "10" if options.quick else "50"))
    options.streams = 500 if options.quick else 5000
    options.busy_seconds = 5 if options.quick else 30
    options.peer_idle = min(options.idle, 500)
    return options


def machine():
    model = re.search(r"model name\s*: (.*)", pathlib.Path("/proc/cpuinfo").read_text())
    memory = int(re.search(r"MemTotal:\s+(\d+)", pathlib.Path("/proc/meminfo").read_text()).group(1))
    return (f"{os.cpu_count()} cores ({model.group(1) if model else platform.machine()}), "
            f"{memory / 1048576:.0f} GiB, {platform.system()} {platform.release()}")


METHOD = """
Method: both servers run on the same machine in the same run, on the loopback, one measured after the
other in changing order, each time into fresh mailboxes. Deliveries come from a load generator in C
(`tests/bench/load.c`) and count until every message is in its mailbox, durable. CPU is user and system
time of all processes of the server. Cold: the server was just started and the page cache dropped; both
had read the folder once before. Memory is the proportional set size, growth divided by connections.
Ratio: Bourse divided by Dovecot; more is better for rates, less for the rest.
"""


def write_page(rows, servers, options):
    """A section for each part in docs/PERFORMANCE.md; those that were not measured now stay."""
    begin, end = "<!-- bench:begin -->", "<!-- bench:end -->"
    path = TOP / "docs" / "PERFORMANCE.md"
    text = path.read_text()
    start, stop = text.index(begin) + len(begin), text.index(end)
    sections = {m[1]: m[2] for m in re.finditer(r"^### (\w+)\n(.*?)(?=^### |\Z)", text[start:stop], re.M | re.S)}
    names = "; ".join(f"{s.name}: {s.describe()}" for s in servers)
    for part in dict.fromkeys(rows.parts.values()):
        sections[part] = f"""
Measured {datetime.date.today().isoformat()}, {options.rounds} round{
'' if options.rounds == 1 else 's'}, medians, on {machine()}. {names}.

{rows.table(part)}

"""
    body = METHOD + "\n" + "".join(f"### {part}\n{sections[part]}" for part in PARTS if part in sections)
    path.write_text(text[:start] + body + text[stop:])
    say(f"written to {path.relative_to(TOP)}")


def main():
    options = parse()
    build_load()
    kinds = ([] if options.peer_only else [peers.Bourse]) + ([] if options.ours_only else [peers.Dovecot])
    servers = [kind(options) for kind in kinds]
    rows = Rows()
    try:
        for peer in servers:
            peer.start()
        for name, part in PARTS.items():
            if not options.only or name in options.only.split(","):
                say(f"== {name}")
                rows.part = name
                part(servers, rows, options)
                print(rows.table(name))
        (TOP / "build" / "bench.json").write_text(json.dumps(rows.values, indent=1))
        if not options.no_write:
            write_page(rows, servers, options)
    finally:
        for peer in servers:
            peer.remove()


if __name__ == "__main__":
    main()

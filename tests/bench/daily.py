"""Parts `wake`, `mixed` and `pop3`: how soon somebody in IDLE sees a message, clients that do all
kinds of things at once in mailboxes of their own, and a download of a whole mailbox by POP3."""

import json
import pathlib
import shutil
import socket
import statistics
import subprocess
import tempfile
import time

import peers
from harness import mail
from harness.bourse import DOMAIN


class Injector:
    """One connection that delivers messages one at a time (SMTP to ours, LMTP to the peer)."""

    def __init__(self, peer):
        self.socket = socket.create_connection(peer.address("smtp"), timeout=60)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.file = self.socket.makefile("rb")
        self._reply()
        self._say("LHLO bench" if peer.protocol == "lmtp" else "EHLO bench")

    def _reply(self):
        while (line := self.file.readline())[3:4] == b"-":
            pass
        if not line or line[0:1] not in b"23":
            raise RuntimeError(f"injector: {line!r}")

    def _say(self, line):
        self.socket.sendall(line.encode() + b"\r\n")
        self._reply()

    def deliver(self, address, message):
        """The moment in which the last byte was sent; the answer is read too."""
        self._say("MAIL FROM:<bench@remote.test>")
        self._say(f"RCPT TO:<{address}>")
        self._say("DATA")
        start = time.perf_counter()
        self.socket.sendall(mail.dot_stuffed(message))
        return start

    def finish(self):
        self._reply()

    def close(self):
        self.socket.close()


def wake(servers, rows, options):
    for round_number in range(options.rounds):
        for peer in servers if round_number % 2 == 0 else list(reversed(servers)):
            # The peer gathers changes for half a second before it tells of them.
            count = max(50, options.messages // 10) if peer.name == "Bourse" else 40
            user = f"idler{round_number}"
            peer.add_users([user])
            peers.settle()
            injector, latencies = Injector(peer), []
            with peer.imap(user) as connection:
                connection.select()
                connection.idle()
                raw = connection.socket
                for i in range(count):
                    message = mail.simple_message(f"wake {round_number} {i}",
                                                  sender="bench@remote.test",
                                                  recipient=f"{user}@{DOMAIN}")
                    start = injector.deliver(f"{user}@{DOMAIN}", message)
                    while b"EXISTS" not in raw.recv(4096):
                        pass
                    latencies.append(time.perf_counter() - start)
                    injector.finish()
            injector.close()
            latencies.sort()
            rows.add("end of a message's data to EXISTS in IDLE, median", "s", peer.name,
                     statistics.median(latencies), "no slower")
            rows.add("end of a message's data to EXISTS in IDLE, 99 of 100", "s", peer.name,
                     latencies[len(latencies) * 99 // 100], "100 ms")


def mixed(servers, rows, options):
    n, seconds = 16, options.busy_seconds
    busy = pathlib.Path(__file__).resolve().parent.parent.parent / "build" / "bench-busy"
    for round_number in range(options.rounds):
        for peer in servers if round_number % 2 == 0 else list(reversed(servers)):
            peer.add_users([f"mixed{round_number}x{i}" for i in range(n)])
            peers.settle()
            host, port = peer.address("imap")
            cpu = peers.cpu_seconds(peer.pid)
            user = f"mixed{round_number}x%" + (f"@{DOMAIN}" if peer.name == "Bourse" else "")
            done = subprocess.run([str(busy), host, str(port), str(n), str(seconds), "0", user,
                                   peer.password, "INBOX"], check=False, text=True,
                                  capture_output=True)
            if done.returncode != 0:
                raise RuntimeError(f"{peer.name}: {done.stdout} {done.stderr}")
            result = json.loads(done.stdout)
            cpu = peers.cpu_seconds(peer.pid) - cpu
            for kind in ("append", "flag", "fetch", "body"):
                rows.add(f"{n} clients without pause: {kind}, median", "s", peer.name,
                         result[kind]["p50_us"] / 1e6, "no slower")
            rows.add(f"{n} clients without pause: operations", "/s", peer.name,
                     result["operations"] / result["seconds"], "no fewer")
            rows.add(f"{n} clients without pause: CPU an operation", "ms", peer.name,
                     cpu / result["operations"] * 1000)


class Pop3:
    def __init__(self, peer, user):
        self.socket = socket.create_connection(peer.address("pop3"), timeout=600)
        self.file = self.socket.makefile("rb", buffering=1 << 20)
        self.line()
        self.ask(f"USER {user}")
        self.ask(f"PASS {peer.password}")

    def line(self):
        line = self.file.readline()
        if not line.startswith(b"+OK"):
            raise RuntimeError(f"pop3: {line!r}")
        return line

    def ask(self, command):
        self.socket.sendall(command.encode() + b"\r\n")
        return self.line()

    def many(self):
        """Bytes of an answer of several lines."""
        total = 0
        while (line := self.file.readline()) != b".\r\n":
            if not line:
                raise RuntimeError("pop3: connection closed")
            total += len(line)
        return total

    def skip(self, n):
        """Reads n answers of several lines as fast as this language can."""
        data = b""
        while n > 0:
            more = self.socket.recv(1 << 20)
            if not more:
                raise RuntimeError("pop3: connection closed")
            data = data[-4:] + more
            n -= data.count(b"\r\n.\r\n")


def pop3(servers, rows, options, fill):
    n = options.messages * 2
    scratch = pathlib.Path(tempfile.mkdtemp(prefix="bourse-bench-"))
    fill(servers, "popper", n, scratch, 7)
    shutil.rmtree(scratch)
    window = 50
    for round_number in range(options.rounds):
        for peer in servers if round_number % 2 == 0 else list(reversed(servers)):
            peer.stop()
            peer.start()
            start = time.perf_counter()
            pop = Pop3(peer, f"popper@{DOMAIN}" if peer.name == "Bourse" else "popper")
            if int(pop.ask("STAT").split()[1]) != n:
                raise RuntimeError(f"{peer.name}: not {n} messages")
            rows.add(f"POP3 login and STAT of {n:,}", "s", peer.name, time.perf_counter() - start,
                     "no slower")
            start = time.perf_counter()
            pop.ask("UIDL")
            pop.many()
            rows.add(f"POP3 UIDL of {n:,}", "s", peer.name, time.perf_counter() - start, "no slower")
            cpu, start = peers.cpu_seconds(peer.pid), time.perf_counter()
            for first in range(1, n + 1, window):
                last = min(n + 1, first + window)
                pop.socket.sendall(b"".join(b"RETR %d\r\n" % i for i in range(first, last)))
                pop.skip(last - first)
            seconds = time.perf_counter() - start
            rows.add(f"POP3 RETR of all {n:,}, pipelined", "/s", peer.name, n / seconds, "no fewer")
            rows.add(f"POP3 RETR of all {n:,}, CPU a message", "ms", peer.name,
                     (peers.cpu_seconds(peer.pid) - cpu) / n * 1000)
            pop.ask("QUIT")
            pop.socket.close()

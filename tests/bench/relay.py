"""The part `relay`: smtp-source through the server to smtp-sink, beside Debian's Postfix. Both take
each message durably (fsync) before they say 250, and take the client for a trusted one."""

import re
import subprocess
import threading
import time

import peers
from harness import bourse
from harness.postfix import Postfix, environment, free_port, program


class Sink:
    """smtp-sink, which counts."""

    def __init__(self):
        self.port, self.count = free_port(), 0
        self.changed = threading.Condition()
        self.process = subprocess.Popen([program("smtp-sink"), "-c", "-u", "nobody",
                                         f"127.0.0.1:{self.port}", "1024"],
                                        env=environment(), stdin=subprocess.DEVNULL,
                                        stdout=subprocess.PIPE)
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        text = b""
        while data := self.process.stdout.read1(65536):
            text = (text + data)[-200:]
            # "sess=1 quit=0 mesg=17"
            if found := re.findall(rb"mesg=(\d+)", text):
                with self.changed:
                    self.count = int(found[-1])
                    self.changed.notify_all()

    def wait_for(self, n, seconds=600):
        end = time.monotonic() + seconds
        with self.changed:
            while self.count < n:
                if not self.changed.wait(end - time.monotonic()):
                    raise RuntimeError(f"{self.count} of {n} messages arrived")

    def stop(self):
        self.process.kill()
        self.process.wait()


class RelayingBourse:
    name = "Bourse"

    def __init__(self, sink):
        routes = f"sink.test=127.0.0.1:{sink.port}"
        self.server = bourse.Server([], build="plain", settings={
            "transport": {"routes": routes, "relay_domains": "sink.test", "trusted": "127.0.0.0/8"}, "store": {"nightly": ""},
            "limits": {"connections_per_address": "20000", "connections": "20000"}})
        self.server.start()
        self.port, self.pid = self.server.address("smtp")[1], self.server.process.pid

    def stop(self):
        self.server.remove()


class RelayingPostfix:
    name = "Postfix"

    def __init__(self, sink):
        self.server = Postfix(relayhost=("127.0.0.1", sink.port),
                              settings="in_flow_delay = 0\nsmtpd_client_connection_count_limit = 0\n")
        self.server.start()
        self.port, self.pid = self.server.port, self.server.process.pid

    def stop(self):
        self.server.__exit__(None, None, None)


def run_once(kind, connections, messages, size):
    """Messages a second, and seconds of CPU."""
    sink = Sink()
    relaying = kind(sink)
    try:
        source = [program("smtp-source"), "-d", "-s", str(connections), "-l", str(size), "-f",
                  "source@remote.test", "-t", "sink@sink.test"]
        place = f"inet:127.0.0.1:{relaying.port}"
        subprocess.run([*source, "-m", str(connections * 2), place], check=True, env=environment())
        sink.wait_for(connections * 2)
        cpu = peers.cpu_seconds(relaying.pid)
        start = time.monotonic()
        subprocess.run([*source, "-m", str(messages), place], check=True, env=environment())
        sink.wait_for(connections * 2 + messages)
        return messages / (time.monotonic() - start), peers.cpu_seconds(relaying.pid) - cpu
    finally:
        relaying.stop()
        sink.stop()


def relay(_servers, rows, options):
    messages = options.messages * 2
    for round_number in range(options.rounds):
        kinds = [RelayingBourse, RelayingPostfix]
        for kind in kinds if round_number % 2 == 0 else reversed(kinds):
            for connections, size in ((20, 10_240), (1, 10_240), (20, 100_000)):
                n = messages if connections > 1 and size < 50_000 else messages // 5
                rate, cpu = run_once(kind, connections, n, size)
                name = f"relayed, {size // 1024} KiB, {connections} connection{'s' * (connections > 1)}"
                rows.add(name, "/s", kind.name, rate, "2 x Postfix")
                rows.add(f"{name}, CPU a message", "ms", kind.name, cpu / n * 1000)

"""A real name server for tests: knotd on a free port of the loopback.

    with Knot({"example.test": "@ MX 10 mail\\nmail A 127.0.0.1"}, signed=["example.test"]) as dns:
        dns.address      "127.0.0.1:40053", for `[dns] servers`
        dns.anchors      a file with the DS records of the signed zones, for `[dns] trust_anchor`
        dns.change("example.test", "...")   other records from now on

Zones get SOA and NS records by themselves. Skips the test when knot is not installed."""

import pathlib
import shutil
import socket
import subprocess
import tempfile
import threading

from harness import tap

READY_SECONDS = 60


def free_port():
    """A port that is free for TCP and UDP."""
    while True:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp, socket.socket() as tcp:
            udp.bind(("127.0.0.1", 0))
            port = udp.getsockname()[1]
            try:
                tcp.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port


class Knot:
    def __init__(self, zones, signed=()):
        self.program = shutil.which("knotd") or shutil.which("knotd", path="/usr/sbin")
        if not self.program:
            tap.skip("knot is not installed")
        self.root = pathlib.Path(tempfile.mkdtemp(prefix="bourse-knot-"))
        self.port = free_port()
        self.address = f"127.0.0.1:{self.port}"
        self.anchors = self.root / "anchors"
        self.signed = signed
        self.serial = 1
        self.zones = list(zones)
        for name, records in zones.items():
            self._write(name, records)
        self.conf = self.root / "knot.conf"
        self.conf.write_text(f"""\
server:
  rundir: "{self.root}"
  listen: 127.0.0.1@{self.port}
  udp-workers: 1
  tcp-workers: 1
  background-workers: 1
log:
  - target: stdout
    any: info
database:
  storage: "{self.root}"
template:
  - id: default
    storage: "{self.root}"
    zonefile-sync: -1
    journal-content: none
    zonefile-load: whole
zone:
""" + "".join(f"  - domain: {name}\n    dnssec-signing: {'on' if name in signed else 'off'}\n"
              for name in zones))
        self.process = None

    def _write(self, name, records):
        (self.root / f"{name}.zone").write_text(
            f"$ORIGIN {name}.\n$TTL 1\n@ SOA ns hostmaster {self.serial} 3600 600 86400 1\n"
            f"@ NS ns\nns A 127.0.0.1\n{records}\n")

    def start(self):
        self.process = subprocess.Popen([self.program, "-c", str(self.conf)],
                                        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                        stderr=subprocess.STDOUT, text=True)
        self._wait("loaded, serial", len(self.zones))
        self.anchors.write_text("".join(
            subprocess.run(["keymgr", "-c", str(self.conf), name, "ds"], text=True, check=True,
                           capture_output=True).stdout for name in self.signed))
        return self

    def _wait(self, words, n):
        """Reads the log until a line with `words` came n times."""
        timer = threading.Timer(READY_SECONDS, self.process.kill)
        timer.start()
        seen = []
        for line in self.process.stdout:
            seen.append(line)
            n -= words in line
            if n == 0:
                timer.cancel()
                return
        tap.fail("knotd ended:\n" + "".join(seen[-20:]))

    def change(self, name, records):
        self.serial += 1
        self._write(name, records)
        subprocess.run(["knotc", "-c", str(self.conf), "zone-reload", name], check=True,
                       capture_output=True)
        self._wait("loaded, serial" if self.serial == 1 else f"-> {self.serial}", 1)

    def stop(self):
        if self.process:
            process, self.process = self.process, None
            process.kill()
            process.wait()
            process.stdout.close()

    def __enter__(self):
        return self.start()

    def __exit__(self, kind, value, trace):
        self.stop()
        shutil.rmtree(self.root, ignore_errors=True)
        return False

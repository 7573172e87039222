"""A name server with zones of the test's own: Debian's knot on a free port of the loopback, signing
those zones that ask for it.

    with NameServer({"signed.test": Zone("@ MX 10 mx\\nmx A 127.0.0.1", signed=True)}) as dns:
        dns.settings()      for bourse.conf: the server and the trust anchors
        dns.change("signed.test", "...")"""

import dataclasses
import hashlib
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import tempfile
import time

from harness import tap


def free_udp_port():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def find(name):
    path = shutil.which(name) or shutil.which(name, path="/usr/sbin")
    if not path:
        tap.skip(f"{name} is not installed")
    return path


@dataclasses.dataclass
class Zone:
    records: str  # lines of a zone file; SOA and NS are there already
    signed: bool = False
    wrong_anchor: bool = False  # what is trusted is another key: all answers are bogus


def tlsa(certificate, usage=3, selector=1):
    """The data of a TLSA record for a certificate file in PEM: its key (selector 1) by SHA-256."""
    command = ["openssl", "x509", "-in", str(certificate), "-outform", "DER"]
    if selector == 1:
        key = subprocess.run(["openssl", "x509", "-in", str(certificate), "-noout", "-pubkey"],
                             check=True, capture_output=True).stdout
        data = subprocess.run(["openssl", "pkey", "-pubin", "-outform", "DER"], input=key,
                              check=True, capture_output=True).stdout
    else:
        data = subprocess.run(command, check=True, capture_output=True).stdout
    return f"{usage} {selector} 1 {hashlib.sha256(data).hexdigest()}"


class NameServer:
    def __init__(self, zones):
        self.program, self.keymgr = find("knotd"), find("keymgr")
        self.zones = zones
        self.root = pathlib.Path(tempfile.mkdtemp(prefix="bourse-dns-"))
        self.port = free_udp_port()
        self.process = None
        for name, zone in zones.items():
            self._write_zone(name, zone)
        self.conf = self.root / "knot.conf"
        self.conf.write_text(
            f'server:\n  rundir: "{self.root}"\n  listen: 127.0.0.1@{self.port}\n  udp-workers: 1\n'
            "  tcp-workers: 1\n  background-workers: 1\nlog:\n  - target: stdout\n    any: info\n"
            f'database:\n  storage: "{self.root}"\ntemplate:\n  - id: default\n'
            f'    storage: "{self.root}"\n    zonefile-sync: -1\n    journal-content: none\n'
            "    zonefile-load: whole\nzone:\n" + "".join(
                f"  - domain: {name}\n    dnssec-signing: {'on' if zone.signed else 'off'}\n"
                for name, zone in zones.items()))

    def _write_zone(self, name, zone):
        (self.root / f"{name}.zone").write_text(
            f"$ORIGIN {name}.\n$TTL 1\n@ SOA ns hostmaster {int(time.time())} 3600 600 86400 1\n"
            f"@ NS ns\nns A 127.0.0.1\n{zone.records}\n")

    def start(self):
        self.log = open(self.root / "log", "wb")
        self.process = subprocess.Popen([self.program, "-c", str(self.conf)],
                                        stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log)
        end = time.monotonic() + 60
        while (text := (self.root / "log").read_text(errors="replace")).count(
                "loaded, serial") < len(self.zones):
            if self.process.poll() is not None or time.monotonic() > end:
                tap.fail(f"knotd does not start:\n{text}")
            time.sleep(0.05)
        self._write_anchors()
        return self

    def _write_anchors(self):
        anchors = ""
        for name, zone in self.zones.items():
            if zone.wrong_anchor:
                anchors += f"{name}. DS 12345 13 2 {'07' * 32}\n"
            elif zone.signed:
                anchors += subprocess.run([self.keymgr, "-c", str(self.conf), name, "ds"],
                                          check=True, capture_output=True, text=True).stdout
        (self.root / "anchors").write_text(anchors)

    def settings(self):
        return {"servers": f"127.0.0.1:{self.port}", "trust_anchor": str(self.root / "anchors"),
                "timeout": "5"}

    def pause(self):
        """Answers nothing until go_on()."""
        self.process.send_signal(signal.SIGSTOP)

    def go_on(self):
        self.process.send_signal(signal.SIGCONT)

    def stop(self):
        if self.process:
            process, self.process = self.process, None
            process.kill()
            process.wait()
            self.log.close()

    def __enter__(self):
        return self.start()

    def __exit__(self, kind, *_):
        if kind:
            tap.note((self.root / "log").read_text(errors="replace")[-2000:])
        self.stop()
        if not os.environ.get("BOURSE_KEEP"):
            shutil.rmtree(self.root, ignore_errors=True)
        return False

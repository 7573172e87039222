"""Zones for tests of what leaves, on the name server of harness/knot.py: some signed, some with an
anchor that is another key's, so that all of their answers are forged.

    with NameServer({"signed.test": Zone("@ MX 10 mx\\nmx A 127.0.0.1", signed=True)}) as names:
        names.settings()      for bourse.conf: the server and the trust anchors"""

import dataclasses
import hashlib
import signal
import subprocess

from harness.knot import Knot


@dataclasses.dataclass
class Zone:
    records: str  # lines of a zone file; SOA and NS are there already
    signed: bool = False
    wrong_anchor: bool = False  # what is trusted is another key: all answers are bogus


def tlsa(certificate, usage=3, selector=1):
    """The data of a TLSA record for a certificate in PEM: its key (selector 1) or all of it, SHA-256."""
    def openssl(*words, data=None):
        return subprocess.run(["openssl", *words], input=data, check=True,
                              capture_output=True).stdout
    if selector == 1:
        key = openssl("x509", "-in", str(certificate), "-noout", "-pubkey")
        data = openssl("pkey", "-pubin", "-outform", "DER", data=key)
    else:
        data = openssl("x509", "-in", str(certificate), "-outform", "DER")
    return f"{usage} {selector} 1 {hashlib.sha256(data).hexdigest()}"


class NameServer(Knot):
    def __init__(self, zones):
        self.wrong = [name for name, zone in zones.items() if zone.wrong_anchor]
        super().__init__({name: zone.records for name, zone in zones.items()},
                         [name for name, zone in zones.items() if zone.signed])

    def start(self):
        super().start()
        kept = [line for line in self.anchors.read_text().splitlines()
                if line.split()[0].rstrip(".") not in self.wrong]
        kept += [f"{name}. DS 12345 13 2 {'07' * 32}" for name in self.wrong]
        self.anchors.write_text("\n".join(kept) + "\n")
        return self

    def settings(self):
        return {"servers": self.address, "trust_anchor": str(self.anchors), "timeout": "3"}

    def pause(self):
        """Answers nothing until go_on()."""
        self.process.send_signal(signal.SIGSTOP)

    def go_on(self):
        self.process.send_signal(signal.SIGCONT)

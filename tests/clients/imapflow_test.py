#!/usr/bin/python3
"""imapflow (node/imapflow_client.mjs) against a server; passes its results on."""

import os
import pathlib
import re
import shutil
import subprocess
import tempfile

from harness import standin

HERE = pathlib.Path(__file__).resolve().parent / "node"
DELIVER = """
import sys
sys.path.insert(0, {tests!r})
from harness import mail
with mail.Smtp({address!r}) as smtp:
    smtp.expect(250, "{hello} client.test")
    smtp.send_message("sender@remote.test", ["alice@example.test"],
                      mail.simple_message(sys.argv[1]))
"""


def main():
    if not shutil.which("node") or not (HERE / "node_modules" / "imapflow").exists():
        print("1..1\nok 1 - imapflow # SKIP node or its imapflow is not installed")
        return 0
    failed = 0
    number = 0
    lines = []
    with standin.server(["alice"]) as server:
        standin_lmtp = bool(standin.STANDIN)
        deliver = pathlib.Path(tempfile.mkdtemp(prefix="bourse-flow-")) / "deliver.py"
        deliver.write_text(DELIVER.format(
            tests=str(HERE.parent.parent), hello="LHLO" if standin_lmtp else "EHLO",
            address=server.address("lmtp" if standin_lmtp else "smtp")))
        for service in ("imap", "imaps"):
            port = server.address(service)[1]
            env = {**os.environ, "IMAP_HOST": "localhost",
                   "IMAP_PORT": str(port), "IMAP_USER": standin.login_name("alice"),
                   "IMAP_PASSWORD": server.password("alice"), "DELIVER": str(deliver)}
            env.pop("LD_PRELOAD", None)
            env["IMAP_CA"] = str(server.ca)
            env["IMAP_SECURE"] = "1" if service == "imaps" else "0"
            done = subprocess.run(["node", "imapflow_client.mjs"], cwd=HERE, env=env, check=False,
                                  capture_output=True, text=True, timeout=120)
            for line in done.stdout.splitlines() + ["# " + l for l in done.stderr.splitlines()]:
                if match := re.match(r"((?:not )?ok) \d+ - (.*)", line):
                    number += 1
                    line = f"{match.group(1)} {number} - {service} {match.group(2)}"
                    failed += match.group(1) != "ok"
                elif line.startswith("1.."):
                    continue
                lines.append(line)
            if done.returncode not in (0, 1) or "ok" not in done.stdout:
                number += 1
                failed += 1
                lines.append(f"not ok {number} - {service} imapflow ended with {done.returncode}")
        shutil.rmtree(deliver.parent)
    print(f"1..{number}")
    print("\n".join(lines), flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    raise SystemExit(main())

#!/usr/bin/python3
"""The store's model test of eight threads on single messages under ThreadSanitizer: the history of each
message is linearisable, and there is no data race."""

import os
import re
import subprocess

from harness import bourse, tap
from harness.tap import expect, test

PROGRAM = bourse.TOP / "build-tsan" / "src" / "store_model_test"


@test
def histories_are_linearisable_and_no_data_race():
    environment = {**os.environ, **bourse.sanitizer_environment("tsan"),
                   "MODEL_SECONDS": os.environ.get("MODEL_SECONDS", "8")}
    done = subprocess.run([str(PROGRAM), "-p", "/model/threads"], env=environment, capture_output=True,
                          text=True, check=False, timeout=300)
    output = done.stdout + done.stderr
    expect("ThreadSanitizer" not in output, output[:4000])
    expect(done.returncode == 0 and re.search(r"^ok 1 /model/threads", output, re.M), output[-2000:])
    if match := re.search(r"# (\d+) operations", output):
        tap.note(f"{match.group(1)} operations")


tap.finish()

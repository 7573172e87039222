#!/usr/bin/python3
"""Runs every test of the project and prints the sum: `N passed, N failed, N skipped`.

    tests/run.py [WORD...]

Unit tests and corpus replays run under AddressSanitizer and UBSan (meson, build-asan); then each
file tests/*/*_test.py, which starts its own servers. With words, only the test files whose path has
one of them run, and no unit tests. A file that dies, hangs or prints no result counts as a failure.
Environment: BOURSE_LONG=1 for the long forms (200 kills instead of 25, ...)."""

import os
import pathlib
import re
import signal
import subprocess
import sys
import time
import xml.etree.ElementTree

TOP = pathlib.Path(__file__).resolve().parent.parent
SANITIZERS = {
    "ASAN_OPTIONS": "detect_leaks=1:detect_stack_use_after_return=1:strict_string_checks=1:"
                    "quarantine_size_mb=32",
    "UBSAN_OPTIONS": "print_stacktrace=1:halt_on_error=1",
    # GLib's slices and static tables would otherwise look like leaks of ours.
    "G_SLICE": "always-malloc",
}
FILE_SECONDS = 900 if not os.environ.get("BOURSE_LONG") else 7200


class Sum:
    def __init__(self):
        self.passed = self.failed = self.skipped = 0
        self.failures = []

    def add_failure(self, name):
        self.failed += 1
        self.failures.append(name)


def run_unit_tests(total):
    build = TOP / "build-asan"
    start = time.monotonic()
    done = subprocess.run(
        ["meson", "test", "-C", str(build), "--no-rebuild", "--print-errorlogs",
         "--num-processes", str(os.cpu_count()), "--timeout-multiplier", "2"],
        env={**os.environ, **SANITIZERS}, stdin=subprocess.DEVNULL, check=False,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace")
    report = build / "meson-logs" / "testlog.junit.xml"
    if not report.exists():
        print(done.stdout)
        total.add_failure("unit tests: no report")
        return
    before = (total.passed, total.failed, total.skipped)
    for suite in xml.etree.ElementTree.parse(report).getroot().iter("testsuite"):
        for case in suite.iter("testcase"):
            if case.find("failure") is not None or case.find("error") is not None:
                total.add_failure(f"{suite.get('name')}: {case.get('name')}")
            elif case.find("skipped") is not None:
                total.skipped += 1
            else:
                total.passed += 1
    # A test that dies after its last TAP line has no failed case of its own.
    if done.returncode != 0 and total.failed == before[1]:
        total.add_failure("meson test")
    if done.returncode != 0:
        print(done.stdout)
    print(f"unit tests and corpora under ASan+UBSan: {total.passed - before[0]} passed, "
          f"{total.failed - before[1]} failed, {time.monotonic() - start:.0f} s", flush=True)


def run_file(path, total):
    name = str(path.relative_to(TOP))
    print(f"== {name}", flush=True)
    start = time.monotonic()
    process = subprocess.Popen(["/usr/bin/python3", str(path)], cwd=TOP, stdin=subprocess.DEVNULL,
                               env={**os.environ, **SANITIZERS, "PYTHONPATH": str(TOP / "tests"),
                                    "PYTHONDONTWRITEBYTECODE": "1"},
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                               errors="replace", start_new_session=True)
    timed_out = False

    def on_alarm(_signal, _frame):
        nonlocal timed_out
        timed_out = True
        os.killpg(process.pid, signal.SIGKILL)

    signal.signal(signal.SIGALRM, on_alarm)
    signal.alarm(FILE_SECONDS)
    planned, seen, failed_here = None, 0, 0
    for line in process.stdout:
        print("  " + line, end="", flush=True)
        if match := re.match(r"1\.\.(\d+)", line):
            planned = int(match.group(1))
        elif match := re.match(r"(not )?ok \d+ - (.*)", line):
            seen += 1
            if match.group(1):
                failed_here += 1
                total.add_failure(f"{name}: {match.group(2)}")
            elif "# SKIP" in line:
                total.skipped += 1
            else:
                total.passed += 1
    status = process.wait()
    signal.alarm(0)
    try:  # whatever the file left running
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    if timed_out:
        total.add_failure(f"{name}: not finished after {FILE_SECONDS} s")
    elif planned is None or seen != planned:
        total.add_failure(f"{name}: {seen} results of {planned or 0} planned")
    elif status != 0 and not failed_here:
        total.add_failure(f"{name}: exit status {status}")
    print(f"   {time.monotonic() - start:.0f} s", flush=True)


def main():
    words = sys.argv[1:]
    total = Sum()
    if not words:
        run_unit_tests(total)
    for path in sorted((TOP / "tests").glob("*/*_test.py")):
        if not words or any(w in str(path.relative_to(TOP)) for w in words):
            run_file(path, total)
    for name in total.failures:
        print("FAILED " + name)
    if total.passed + total.failed == 0:
        total.add_failure("no test ran")
    print(f"{total.passed} passed, {total.failed} failed, {total.skipped} skipped", flush=True)
    return 1 if total.failed else 0


if __name__ == "__main__":
    sys.exit(main())

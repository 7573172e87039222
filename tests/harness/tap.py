"""A very small test runner: functions marked with @test run in order, one TAP line each.

A test fails by raising; `skip("why")` skips it. `finish()` at the end of a test file runs what was
collected and exits with 1 when something failed. Words on the command line choose tests by name."""

import sys
import time
import traceback

_tests = []


class Skip(Exception):
    pass


class Failure(AssertionError):
    pass


def test(function):
    _tests.append(function)
    return function


def skip(reason):
    raise Skip(reason)


def fail(message):
    raise Failure(message)


def expect(condition, message="unexpected"):
    if not condition:
        raise Failure(message)


def expect_equal(got, wanted, what=""):
    if got != wanted:
        raise Failure(f"{what or 'value'}: got {_short(got)}, expected {_short(wanted)}")


def _short(value, limit=400):
    text = repr(value)
    return text if len(text) <= limit else text[:limit] + f"... ({len(text)} characters)"


def note(text):
    for line in str(text).splitlines():
        print("# " + line, flush=True)


def finish(cleanup=None):
    """Runs the collected tests; `cleanup` runs last and counts as a test of its own."""
    words = [w for w in sys.argv[1:] if not w.startswith("-")]
    chosen = [t for t in _tests if not words or any(w in t.__name__ for w in words)]
    if cleanup:
        chosen = chosen + [cleanup]
    print(f"1..{len(chosen)}", flush=True)
    failed = 0
    for number, function in enumerate(chosen, 1):
        name = function.__name__.replace("_", " ")
        start = time.monotonic()
        try:
            function()
            print(f"ok {number} - {name} ({time.monotonic() - start:.2f} s)", flush=True)
        except Skip as reason:
            print(f"ok {number} - {name} # SKIP {reason}", flush=True)
        except Failure as problem:
            failed += 1
            where = traceback.extract_tb(problem.__traceback__)
            here = next((f for f in reversed(where) if "harness/tap.py" not in f.filename), where[-1])
            print(f"not ok {number} - {name}", flush=True)
            note(f"{here.filename}:{here.lineno}: {problem}")
        except Exception:  # pylint: disable=broad-except
            failed += 1
            print(f"not ok {number} - {name}", flush=True)
            note(traceback.format_exc())
    sys.exit(1 if failed else 0)

#!/usr/bin/python3
"""The SQL is one dialect: the schemas of the store and the directory are created on a PostgreSQL, and
every statement of both is prepared on it. It shows that a second engine is an engine and not a second
store; there is no such engine in the program yet."""

import pathlib
import re
import subprocess

from harness import tap
from harness.postgres import Postgres, programs
from harness.tap import expect, test

TOP = pathlib.Path(__file__).resolve().parent.parent.parent
WORDS = {"$BLOB": "BYTEA", "$CLUSTERED": "", "$ROWID": "BIGINT NOT NULL"}
TEXT = re.compile(r'(?:"(?:\\.|[^"\\])*"\s*)+')  # adjacent literals are one text
SQL = re.compile(r"(CREATE|ALTER|SELECT|INSERT|UPDATE|DELETE|WITH)\b.*[ ,(]", re.S)
ENGINE_ONLY = re.compile(r"fts5|fulltext", re.I)  # db/fulltext is per engine

server = Postgres() if programs() else None


def texts(path):
    """The SQL texts of a C file, macros expanded."""
    flags = subprocess.run(["pkg-config", "--cflags", "glib-2.0"], capture_output=True, text=True,
                           check=True).stdout.split()
    source = subprocess.run(["gcc", "-E", "-P", "-I", str(TOP / "src"), *flags, str(path)],
                            capture_output=True, text=True, check=True).stdout
    found = []
    for literals in TEXT.findall(source):
        pieces = re.findall(r'"((?:\\.|[^"\\])*)"', literals)
        text = "".join(pieces).replace("\\n", "\n").replace('\\"', '"')
        if SQL.match(text):
            found.append(text)
    return found


def translate(sql):
    sql = re.sub(r"\$ROWKEY(\([^)]*\))", r", PRIMARY KEY \1", sql)
    for word, value in WORDS.items():
        sql = sql.replace(word, value)
    return sql


def module(name):
    return sorted(p for p in (TOP / "src" / name).glob("*.c") if not p.name.endswith(("_test.c", "_fuzz.c")))


def check(name):
    if not server:
        tap.skip("no PostgreSQL here")
    found = [t for path in module(name) for t in texts(path)]
    schemas = [t for t in found if t.startswith(("CREATE", "ALTER")) and not ENGINE_ONLY.search(t)]
    schemas.sort(key=lambda t: "ALTER" in t)  # steps that change a table come after its own
    expect(schemas, f"no schema found in {name}")
    error = server.sql(f"DROP SCHEMA IF EXISTS {name} CASCADE; CREATE SCHEMA {name}; "
                       f"SET search_path = {name}; " + "".join(translate(s) for s in schemas))
    expect(error is None, f"the schema of {name}: {error}")
    statements = [t for t in found if not t.startswith(("CREATE", "ALTER")) and not ENGINE_ONLY.search(t)]
    expect(len(statements) > 20, f"only {len(statements)} statements found in {name}")
    prepares = "".join(f"PREPARE s{i} AS {sql};\n" for i, sql in enumerate(statements))
    bad = server.sql(f"SET search_path = {name};\n{prepares}", go_on=True)
    tap.note(f"{len(statements)} statements of {name}")
    expect(bad is None, bad)


@test
def the_store_s_sql_is_postgresql_s_too():
    check("store")


@test
def the_directory_s_sql_is_postgresql_s_too():
    check("directory")


def finish():
    if server:
        server.stop()


tap.finish(finish)

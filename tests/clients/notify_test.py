#!/usr/bin/python3
"""NOTIFY over a real connection: news of folders that are not selected come between commands and while
IDLE, without being asked for; those of the selected folder too."""

import re

from harness import mail, standin, tap
from harness.tap import expect, test

server = standin.server(["alice"]).start()


def wait_for(imap, pattern):
    while True:
        line = imap.response()
        if re.match(pattern, line):
            return line


@test
def a_delivery_is_told_without_idle():
    standin.only_bourse()
    imap = server.imap("alice", timeout=20)
    imap.ok("CREATE Watched")
    imap.ok("SELECT Watched")
    imap.ok("NOTIFY SET (INBOXES (MessageNew MessageExpunge)) (PERSONAL (MailboxName))")
    with server.smtp() as smtp:
        smtp.ehlo()
        smtp.send_message("sender@remote.test", ["alice@example.test"],
                          mail.simple_message("news"))
    line = wait_for(imap, rb"\* STATUS INBOX ")
    expect(b"MESSAGES 1" in line and b"UNSEEN 1" in line, line)
    other = server.imap("alice", timeout=20)
    other.ok("CREATE Fresh")
    wait_for(imap, rb'\* LIST \(.*\) "/" Fresh')
    other.ok("RENAME Fresh Stale")
    line = wait_for(imap, rb'\* LIST \(.*\) "/" Stale')
    expect(b'"OLDNAME" (Fresh)' in line, line)
    other.ok("DELETE Stale")
    wait_for(imap, rb'\* LIST \(\\NonExistent\) "/" Stale')
    other.logout()
    imap.logout()


@test
def the_selected_folder_is_told_of_and_idle_too():
    standin.only_bourse()
    imap = server.imap("alice", timeout=20)
    other = server.imap("alice", timeout=20)
    imap.ok("CREATE Inner")
    imap.ok("SELECT Inner")
    imap.ok("NOTIFY SET (SELECTED (MessageNew (UID FLAGS) MessageExpunge FlagChange)) "
            "(MAILBOXES INBOX (MessageNew MessageExpunge))")
    other.append("Inner", mail.simple_message("one"))
    wait_for(imap, rb"\* 1 EXISTS")
    wait_for(imap, rb"\* 1 FETCH \(UID 1 FLAGS \(\)\)")
    tag = imap.idle()
    other.append("INBOX", mail.simple_message("two"))
    wait_for(imap, rb"\* STATUS INBOX ")
    other.ok("SELECT Inner")
    other.ok("STORE 1 +FLAGS.SILENT (\\Deleted)")
    wait_for(imap, rb"\* 1 FETCH .*\\Deleted")
    other.ok("EXPUNGE")
    wait_for(imap, rb"\* 1 EXPUNGE")
    imap.done(tag)
    imap.ok("NOTIFY NONE")
    other.logout()
    imap.logout()


def finish():
    server.remove()


tap.finish(finish)

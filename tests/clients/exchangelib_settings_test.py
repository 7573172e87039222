#!/usr/bin/python3
"""exchangelib: names, groups, rooms, people, delegates, out of office, time zones, availability, user
configuration; the WSDL, the XSDs and photos by GET. Every answer is checked by the schema served."""

import base64
import datetime
import http.client
import time

from harness import bourse, mail, tap
from harness.bourse import DOMAIN, PASSWORD
from harness.tap import expect, expect_equal, skip, test

try:
    import exchangelib
    from exchangelib import (DELEGATE, Account, Configuration, Credentials, EWSDateTime, EWSTimeZone,
                             FaultTolerance, UTC)
    from exchangelib.errors import ErrorItemNotFound, ErrorItemSave, ErrorNameResolutionNoResults
    from exchangelib.settings import OofSettings
    from lxml import etree

    from harness.ews_schema import Schema, fetch
    MISSING = None
except ImportError as error:
    MISSING = str(error)

PHOTO = base64.b64decode("/9j/4AAQSkZJRgABAQEASABIAAD/2Q==")

server = bourse.Server(["alice", "bob"], settings={"auth": {"plaintext": "loopback"}})
schema = None
if not MISSING:
    server.run("room", "add", server.dir, f"room1@{DOMAIN}", "--name", "Room One")
    server.run("group", "add", server.dir, f"rooms@{DOMAIN}", "--name", "All our rooms")
    server.run("group", "members", "add", server.dir, f"rooms@{DOMAIN}", f"room1@{DOMAIN}")
    server.run("group", "add", server.dir, f"staff@{DOMAIN}", "--name", "Staff")
    server.run("group", "members", "add", server.dir, f"staff@{DOMAIN}", f"alice@{DOMAIN}", f"bob@{DOMAIN}")
    server.start()
    schema = Schema(server)
    schema.watch_exchangelib()
_accounts = {}


def account(user="alice"):
    if MISSING:
        skip(f"python3-exchangelib: {MISSING}")
    if user not in _accounts:
        host, port = server.address("http")
        config = Configuration(
            service_endpoint=f"http://{host}:{port}/EWS/Exchange.asmx", auth_type=exchangelib.BASIC,
            credentials=Credentials(f"{user}@{DOMAIN}", PASSWORD),
            retry_policy=FaultTolerance(max_wait=5), max_connections=2)
        _accounts[user] = Account(f"{user}@{DOMAIN}", config=config, autodiscover=False, access_type=DELEGATE)
    return _accounts[user]


@test
def names_are_resolved():
    protocol = account().protocol
    found = protocol.resolve_names(["bob"], return_full_contact_data=True)
    expect_equal(found[0][0].email_address, f"bob@{DOMAIN}")
    expect_equal(found[0][1].display_name, "Bob Test")
    nothing = protocol.resolve_names(["nobody at all"])
    expect(all(isinstance(x, ErrorNameResolutionNoResults) for x in nothing), nothing)


@test
def groups_and_rooms_are_listed():
    protocol = account().protocol
    members = {m.email_address for m in protocol.expand_dl(f"staff@{DOMAIN}")}
    expect_equal(members, {f"alice@{DOMAIN}", f"bob@{DOMAIN}"})
    lists = list(protocol.get_roomlists())
    expect_equal([r.email_address for r in lists], [f"rooms@{DOMAIN}"])
    rooms = list(protocol.get_rooms(lists[0].email_address))
    expect_equal([r.name for r in rooms], ["Room One"])


@test
def delegates_are_those_that_were_set():
    a = account()
    expect_equal(list(a.delegates), [])
    body = (
        "<m:AddDelegate><m:Mailbox><t:EmailAddress>alice@{0}</t:EmailAddress></m:Mailbox><m:DelegateUsers>"
        "<t:DelegateUser><t:UserId><t:PrimarySmtpAddress>bob@{0}</t:PrimarySmtpAddress></t:UserId>"
        "<t:DelegatePermissions><t:CalendarFolderPermissionLevel>Editor</t:CalendarFolderPermissionLevel>"
        "</t:DelegatePermissions></t:DelegateUser></m:DelegateUsers>"
        "<m:DeliverMeetingRequests>DelegatesAndMe</m:DeliverMeetingRequests></m:AddDelegate>").format(DOMAIN)
    answer = ask(body)
    expect("NoError" in answer, answer)
    delegates = list(a.delegates)
    expect_equal(len(delegates), 1)
    expect_equal(delegates[0].user_id.primary_smtp_address, f"bob@{DOMAIN}")
    expect_equal(delegates[0].delegate_permissions.calendar_folder_permission_level, "Editor")


def ask(body, user="alice"):
    """A request that exchangelib has no words for."""
    connection = http.client.HTTPConnection(*server.address("http"), timeout=60)
    login = base64.b64encode(f"{user}@{DOMAIN}:{PASSWORD}".encode()).decode()
    envelope = (
        '<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/" '
        'xmlns:m="http://schemas.microsoft.com/exchange/services/2006/messages" '
        'xmlns:t="http://schemas.microsoft.com/exchange/services/2006/types"><s:Header>'
        f'<t:RequestServerVersion Version="Exchange2016"/></s:Header><s:Body>{body}</s:Body></s:Envelope>')
    connection.request("POST", "/ews/exchange.asmx", envelope,
                       {"Authorization": f"Basic {login}", "Content-Type": "text/xml; charset=utf-8"})
    text = connection.getresponse().read()
    connection.close()
    schema.check(text)
    return text.decode()


@test
def out_of_office_is_kept():
    a = account()
    expect_equal(a.oof_settings.state, OofSettings.DISABLED)
    start = EWSDateTime(2031, 1, 1, tzinfo=UTC)
    a.oof_settings = OofSettings(state=OofSettings.SCHEDULED, external_audience="Known", start=start,
                                 end=start + datetime.timedelta(days=7), internal_reply="I am away <b>now</b>",
                                 external_reply="Away")
    kept = a.oof_settings
    expect_equal(kept.state, OofSettings.SCHEDULED)
    expect_equal(kept.external_audience, "Known")
    expect_equal(kept.start, start)
    expect_equal(kept.internal_reply, "I am away <b>now</b>")
    expect_equal(kept.external_reply, "Away")
    a.oof_settings = OofSettings(state=OofSettings.ENABLED, internal_reply="x", external_reply="y")
    tips = a.mail_tips
    expect_equal(tips.recipient_address.email_address, f"alice@{DOMAIN}")
    expect_equal(tips.out_of_office.reply_body, "x")


@test
def user_configuration_goes_both_ways():
    inbox = account().inbox
    try:
        inbox.get_user_configuration("Bourse.Test")
        tap.fail("there is a configuration before it was made")
    except ErrorItemNotFound:
        pass
    inbox.create_user_configuration("Bourse.Test", dictionary={"text": "a<b>", "number": 7, "on": True,
                                                              "texts": ["one", "two"]},
                                    xml_data=b"<x/>", binary_data=b"\0\1")
    try:
        inbox.create_user_configuration("Bourse.Test", dictionary={"a": "b"})
        tap.fail("a second one of the same name was made")
    except ErrorItemSave:
        pass
    kept = inbox.get_user_configuration("Bourse.Test")
    expect_equal(kept.dictionary, {"text": "a<b>", "number": 7, "on": True, "texts": ("one", "two")})
    expect_equal(kept.xml_data, b"<x/>")
    expect_equal(kept.binary_data, b"\0\1")
    inbox.update_user_configuration("Bourse.Test", dictionary={"only": "this"})
    expect_equal(inbox.get_user_configuration("Bourse.Test").dictionary, {"only": "this"})
    inbox.delete_user_configuration("Bourse.Test")
    try:
        inbox.get_user_configuration("Bourse.Test")
        tap.fail("the configuration is still there")
    except ErrorItemNotFound:
        pass


@test
def time_zones_are_those_that_clients_know():
    zones = list(account().protocol.get_timezones(return_full_timezone_data=True))
    ids = {zone[0] if isinstance(zone, tuple) else zone.id for zone in zones}
    expect({"UTC", "W. Europe Standard Time", "Pacific Standard Time", "Tokyo Standard Time"} <= ids, ids)
    expect(len(ids) > 100, len(ids))
    expect_equal(EWSTimeZone("Europe/Berlin").ms_id in ids, True)


@test
def free_and_busy_times_are_told():
    a = account()
    zone = EWSTimeZone("Europe/Berlin")
    start = EWSDateTime(2031, 1, 6, tzinfo=zone)
    views = list(a.protocol.get_free_busy_info(accounts=[(a, "Organizer", False)], start=start,
                                               end=start + datetime.timedelta(days=1),
                                               merged_free_busy_interval=60))
    expect_equal(views[0].merged, "0" * 24)
    expect_equal(views[0].working_hours_timezone.bias, -60)


@test
def inbox_rules_are_kept_and_carried_out():
    account()
    answer = ask(
        "<m:UpdateInboxRules><m:Operations><t:CreateRuleOperation><t:Rule><t:DisplayName>r</t:DisplayName>"
        "<t:Priority>1</t:Priority><t:IsEnabled>true</t:IsEnabled><t:Conditions><t:ContainsSubjectStrings>"
        "<t:String>Lottery</t:String></t:ContainsSubjectStrings></t:Conditions><t:Actions><t:MoveToFolder>"
        '<t:DistinguishedFolderId Id="junkemail"/></t:MoveToFolder></t:Actions></t:Rule>'
        "</t:CreateRuleOperation></m:Operations></m:UpdateInboxRules>")
    expect("NoError" in answer, answer)
    expect("<t:String>Lottery</t:String>" in ask("<m:GetInboxRules/>"))
    server.deliver("alice", mail.simple_message("the lottery"))
    with server.imap("alice") as imap:
        for _ in range(100):
            if imap.select("Junk Email") == 1:
                break
            time.sleep(0.1)
        else:
            tap.fail("the rule did not move the message")


@test
def the_service_describes_itself():
    if MISSING:
        skip(MISSING)
    status, fields, wsdl = fetch(server, "/EWS/Services.wsdl")
    expect_equal(status, 200)
    expect(fields["Content-Type"].startswith("text/xml"), fields["Content-Type"])
    root = etree.fromstring(wsdl)
    names = {o.get("name") for o in root.iter("{http://schemas.xmlsoap.org/wsdl/}operation")}
    expect({"GetItem", "GetUserAvailability", "GetUserOofSettings"} <= names)
    messages = {m.get("name") for m in root.iter("{http://schemas.xmlsoap.org/wsdl/}message")}
    expect(all(n + "SoapIn" in messages and n + "SoapOut" in messages for n in names))


@test
def photos_are_shown_to_everybody():
    if MISSING:
        skip(MISSING)
    path = f"/ews/Exchange.asmx/s/GetUserPhoto?email=alice@{DOMAIN}&size=HR96x96"
    expect_equal(fetch(server, path)[0], 404)
    ask(f"<m:SetUserPhoto><m:Email>alice@{DOMAIN}</m:Email><m:Content>"
        f"{base64.b64encode(PHOTO).decode()}</m:Content></m:SetUserPhoto>")
    status, fields, body = fetch(server, path, "bob")
    expect_equal(status, 200)
    expect_equal(fields["Content-Type"], "image/jpeg")
    expect_equal(body, PHOTO)


@test
def every_answer_was_valid():
    if MISSING:
        skip(MISSING)
    expect(schema.checked > 20, schema.checked)


tap.finish(server.remove)

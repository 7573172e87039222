// Reads, appends, flags, moves, searches and idles with imapflow, a client library in wide use.
// Prints TAP; its wrapper imapflow_test.py starts the server and gives the settings as environment:
// IMAP_HOST, IMAP_PORT, IMAP_USER, IMAP_PASSWORD, IMAP_CA, IMAP_SECURE (1: TLS from the start), DELIVER (a command that
// delivers one message with the subject of its argument).
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import assert from 'node:assert/strict';
import { ImapFlow } from 'imapflow';

const env = process.env;
const batch = `batch-${env.IMAP_SECURE}`; // the mailbox may have been used before
const tests = [];
const test = (name, run) => tests.push({ name, run });

function connect(options = {}) {
    const client = new ImapFlow({
        host: env.IMAP_HOST,
        port: Number(env.IMAP_PORT),
        secure: env.IMAP_SECURE === '1', // else STARTTLS where it is offered
        tls: { ca: readFileSync(env.IMAP_CA), servername: 'localhost' },
        auth: { user: env.IMAP_USER, pass: env.IMAP_PASSWORD },
        logger: false,
        disableAutoIdle: true,
        ...options,
    });
    client.on('error', () => {});
    return client.connect().then(() => client);
}

const message = (subject) =>
    Buffer.from(`From: a@remote.test\r\nTo: b@example.test\r\nSubject: ${subject}\r\n` +
        `Message-ID: <${subject.replaceAll(' ', '-')}@flow.test>\r\nMIME-Version: 1.0\r\n` +
        'Content-Type: text/plain; charset=utf-8\r\n\r\nGr\u00fc\u00dfe\r\n');

test('mailboxes are created, listed and deleted', async (client) => {
    await client.mailboxCreate(['Flow', 'Bücher & Co']);
    const list = await client.list();
    const paths = list.map((box) => box.path);
    assert.ok(paths.includes('INBOX'));
    assert.ok(paths.some((path) => path.endsWith('Bücher & Co')), paths.join(', '));
    await client.mailboxDelete(['Flow', 'Bücher & Co']);
});

test('append, fetch and download give the same bytes', async (client) => {
    const sent = message('appended by flow');
    const result = await client.append('INBOX', sent, ['\\Seen', '$Label1'], new Date(1700000000000));
    assert.ok(result.uid > 0, 'APPENDUID');
    const lock = await client.getMailboxLock('INBOX');
    try {
        const got = await client.fetchOne(String(result.uid), {
            uid: true, flags: true, envelope: true, bodyStructure: true, internalDate: true, size: true,
            source: true,
        }, { uid: true });
        assert.equal(got.source.toString('binary'), sent.toString('binary'));
        assert.equal(got.size, sent.length);
        assert.equal(got.envelope.subject, 'appended by flow');
        assert.equal(got.internalDate.getTime(), 1700000000000);
        assert.ok(got.flags.has('\\Seen') && got.flags.has('$Label1'));
        assert.equal(got.bodyStructure.type, 'text/plain');
        const { content } = await client.download(String(result.uid), '1', { uid: true });
        const chunks = [];
        for await (const chunk of content)
            chunks.push(chunk);
        assert.equal(Buffer.concat(chunks).toString('utf8').trim(), 'Grüße');
    } finally {
        lock.release();
    }
});

test('flags, search, move', async (client) => {
    await client.mailboxCreate('FlowDone');
    for (let i = 0; i < 5; i++)
        await client.append('INBOX', message(`${batch} ${i}`));
    const lock = await client.getMailboxLock('INBOX');
    try {
        const found = await client.search({ header: { subject: batch } }, { uid: true });
        assert.equal(found.length, 5);
        await client.messageFlagsAdd(found.slice(0, 2), ['\\Flagged'], { uid: true });
        const flagged = await client.search({ flagged: true, subject: batch }, { uid: true });
        assert.deepEqual(flagged, found.slice(0, 2));
        const moved = await client.messageMove(found.slice(0, 2), 'FlowDone', { uid: true });
        assert.equal(moved.uidMap.size, 2);
        assert.equal((await client.status('FlowDone', { messages: true })).messages, 2);
        await client.messageDelete(found.slice(2, 3), { uid: true });
        assert.equal((await client.search({ subject: batch }, { uid: true })).length, 2);
    } finally {
        lock.release();
    }
    await client.mailboxDelete('FlowDone');
});

test('ids of messages, threads and mailboxes', async (client) => {
    if (!client.capabilities.has('OBJECTID'))
        return 'skip: no OBJECTID';
    await client.mailboxCreate('FlowIds');
    const { uid } = await client.append('FlowIds', message('with an id'));
    const lock = await client.getMailboxLock('FlowIds');
    let first;
    try {
        assert.ok(client.mailbox.mailboxId, 'MAILBOXID');
        first = await client.fetchOne(String(uid), { uid: true, threadId: true }, { uid: true });
        assert.ok(first.emailId && first.threadId, `EMAILID ${first.emailId}, THREADID ${first.threadId}`);
        await client.messageCopy(String(uid), 'FlowIds', { uid: true });
        const found = await client.search({ emailId: first.emailId }, { uid: true });
        assert.equal(found.length, 2, 'the copy has the same EMAILID');
    } finally {
        lock.release();
    }
    await client.mailboxDelete('FlowIds');
});

test('CONDSTORE: fetch what changed since', async (client) => {
    if (!client.capabilities.has('CONDSTORE'))
        return 'skip: no CONDSTORE';
    const lock = await client.getMailboxLock('INBOX');
    try {
        const before = client.mailbox.highestModseq;
        assert.ok(before > 0n);
        const { uid } = await client.append('INBOX', message('condstore'));
        await client.messageFlagsAdd(String(uid), ['\\Answered'], { uid: true });
        const changed = [];
        for await (const got of client.fetch('1:*', { uid: true, flags: true }, { changedSince: before }))
            changed.push(got.uid);
        assert.deepEqual(changed, [uid]);
    } finally {
        lock.release();
    }
});

test('IDLE hears of a delivery', async (client) => {
    const lock = await client.getMailboxLock('INBOX');
    try {
        const heard = new Promise((resolve, reject) => {
            client.once('exists', resolve);
            setTimeout(() => reject(new Error('nothing heard in 10 s')), 10000).unref();
        });
        const idling = client.idle();
        await new Promise((resolve) => setTimeout(resolve, 300));
        execFileSync('/usr/bin/python3', [env.DELIVER, `for ${batch}`]);
        const event = await heard;
        assert.equal(event.count, event.prevCount + 1);
        await client.noop();
        await idling.catch(() => {});
    } finally {
        lock.release();
    }
});

test('COMPRESS and BINARY are used', async (client) => {
    if (!client.capabilities.has('BINARY') || !client._inflate)
        return 'skip: no COMPRESS or no BINARY';
    const bytes = Buffer.from(Array.from({ length: 256 }, (_, i) => i));
    const head = Buffer.from('Subject: bytes\r\nMIME-Version: 1.0\r\nContent-Type: application/octet-stream\r\n' +
        'Content-Transfer-Encoding: binary\r\n\r\n');
    const { uid } = await client.append('INBOX', Buffer.concat([head, bytes])); // as literal8
    const lock = await client.getMailboxLock('INBOX');
    try {
        const got = await client.fetchOne(String(uid), { uid: true, bodyParts: ['1'] }, { uid: true, binary: true });
        assert.deepEqual(got.bodyParts.get('1'), bytes);
    } finally {
        lock.release();
    }
});

test('QRESYNC tells uids of what was expunged', async (client) => {
    if (!client.capabilities.has('QRESYNC'))
        return 'skip: no QRESYNC';
    const other = await connect({ qresync: true });
    try {
        const { uid } = await client.append('INBOX', message('expunged'));
        const lock = await other.getMailboxLock('INBOX');
        const gone = [];
        other.on('expunge', (event) => gone.push(event.uid));
        const own = await client.getMailboxLock('INBOX');
        await client.messageDelete(String(uid), { uid: true });
        own.release();
        await other.noop();
        assert.deepEqual(gone, [uid]);
        lock.release();
    } finally {
        await other.logout();
    }
});

console.log(`1..${tests.length}`);
let failed = 0;
for (const [index, { name, run }] of tests.entries()) {
    let client;
    try {
        client = await connect();
        const result = await run(client);
        console.log(`ok ${index + 1} - imapflow: ${name}${result ? ` # SKIP ${result.slice(6)}` : ''}`);
    } catch (error) {
        failed++;
        console.log(`not ok ${index + 1} - imapflow: ${name}`);
        for (const line of String(error.stack).split('\n').concat(error.responseText ?? []))
            console.log(`# ${line}`);
    }
    await client?.logout().catch(() => client.close());
}
process.exit(failed ? 1 : 0);

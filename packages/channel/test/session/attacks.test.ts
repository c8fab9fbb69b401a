// The attacks that attested TLS is known to fall to, played for real: each is refused, with the code of what stopped it.
import assert from 'node:assert/strict'
import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto'
import { type TestContext, test } from 'node:test'
import type { TLSSocket } from 'node:tls'
import { parsePolicy } from '@casemate/appraisal'
import { mergeEndorsements } from '@casemate/evidence'
import { issueCertificate } from '../../src/certificate/issue.ts'
import { readCertificate } from '../../src/certificate/read.ts'
import { encodeCarried, OID_TAGGED_EVIDENCE, readCarried } from '../../src/evidence/carried.ts'
import { decodeClaims, encodeClaims } from '../../src/evidence/claims-buffer.ts'
import type { Credentials } from '../../src/identity/credentials.ts'
import { sessionDigest } from '../../src/identity/identity.ts'
import { type ChannelIdentity, connectAttested, type PeerDemands } from '../../src/index.ts'
import { bindingMessage, exporterOf, signBinding } from '../../src/session/binding.ts'
import { FRAME } from '../../src/session/frames.ts'
import type { Hello } from '../../src/session/hello.ts'
import { sha256 } from '../../src/sha256.ts'
import { identityOf, intelMachine, LAPTOP, listenerOf, type Machine, rejectsCode } from '../fixtures.ts'
import {
  CACHED,
  forward,
  framesOf,
  refusalOf,
  rogueClient,
  rogueServer,
  sendBinding,
  sendHello,
} from './rogue.ts'

interface Victim {
  readonly machine: Machine
  readonly identity: ChannelIdentity
  /** Known to an attacker who read its memory. */
  readonly stolen: Credentials
}

async function victim(t: TestContext, options = {}): Promise<Victim> {
  const machine = await intelMachine('tdx')
  const identity = await identityOf(t, machine.driver, options)
  return { machine, identity, stolen: identity.credentials() }
}

const tls = ({ certificatePem: cert, keyPem: key }: Pick<Credentials, 'certificatePem' | 'keyPem'>) => ({
  cert,
  key,
})

const MINUTE_MS = 60_000

/** A certificate of the attacker's own making, around evidence that somebody else's machine gave. */
function forge(
  evidenceFor: (spki: Uint8Array) => Uint8Array,
  { privateKey, notAfter }: { readonly privateKey: KeyObject; readonly notAfter: Date } = {
    privateKey: generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey,
    notAfter: new Date(Date.now() + MINUTE_MS),
  },
): { readonly cert: string; readonly key: string } {
  const spki = createPublicKey(privateKey).export({ type: 'spki', format: 'der' })
  const notBefore = new Date(Date.now() - MINUTE_MS)
  const der = issueCertificate({ privateKey, spki, evidence: evidenceFor(spki), notBefore, notAfter })
  const base64 = Buffer.from(der).toString('base64')
  const cert = `-----BEGIN CERTIFICATE-----\n${base64}\n-----END CERTIFICATE-----\n`
  return { cert, key: privateKey.export({ type: 'pkcs8', format: 'pem' }) }
}

function extensionOf({ certificate }: Credentials): Uint8Array {
  return readCertificate(certificate).extensions.get(OID_TAGGED_EVIDENCE)!
}

/** Greets, then is silent: whoever refuses does so for what it has seen. */
const greet = (socket: TLSSocket): void => sendHello(socket, { demands: 'anyone' })

test('a relay that shows a genuine peer’s evidence in a certificate of its own is refused', async t => {
  const { machine, stolen } = await victim(t)
  const relay = await rogueServer(
    t,
    forge(() => extensionOf(stolen)),
    greet,
  )
  const error = await rejectsCode('key-not-bound', connectAttested({ ...relay, peer: machine.demands }))
  assert.match(error.message, /made for another key/)
})

test('replayed evidence with claims that name the attacker’s key is refused: the quote does not vouch for them', async t => {
  const { machine, stolen } = await victim(t)
  const genuine = readCarried(readCertificate(stolen.certificate).extensions)
  const claimsFor = (spki: Uint8Array) =>
    encodeClaims({
      ...decodeClaims(genuine.claimsBuffer!),
      keyHash: { algorithm: 'sha256', digest: sha256(spki) },
    })
  const quote = { kind: 'tdx', evidence: genuine.evidence, certificateTable: null } as const
  const forged = forge(spki => encodeCarried(quote, claimsFor(spki)))
  const replay = await rogueServer(t, forged, greet)
  const error = await rejectsCode('key-not-bound', connectAttested({ ...replay, peer: machine.demands }))
  assert.match(error.message, /report data/)
})

test('a relay with the stolen TLS key that forwards the genuine binding is refused', async t => {
  const { machine, identity, stolen } = await victim(t)
  const genuine = await listenerOf(t, identity)
  const relay = await rogueServer(t, tls(stolen), async socket => {
    const upstream = await rogueClient(t, genuine)
    const [down, up] = [framesOf(socket), framesOf(upstream)]
    forward(upstream, await down.next())
    for (;;) forward(socket, await up.next())
  })
  await rejectsCode('binding-invalid', connectAttested({ ...relay, peer: machine.demands }))
})

/** The bytes that a server would sign in this session, for a client that it demands nothing of. */
function messageOf(socket: TLSSocket, { certificate }: Credentials, clientHello: Hello): Uint8Array {
  return bindingMessage('server', {
    exporter: exporterOf(socket),
    serverCertificate: certificate,
    clientCertificate: null,
    clientHello,
    serverHello: { demands: 'anyone' },
  })
}

test('a binding that was recorded in another session is refused', async t => {
  const { machine, stolen } = await victim(t)
  let recorded: Uint8Array | null = null
  const replay = await rogueServer(t, tls(stolen), async socket => {
    await framesOf(socket).next()
    sendHello(socket, { demands: 'anyone' })
    recorded ??= signBinding(messageOf(socket, stolen, CACHED), stolen.bindingKey!)
    sendBinding(socket, recorded)
    socket.write(Buffer.from([FRAME.ready, 0, 0, 0, 0]))
  })
  // With both keys the first session stands: a thief of both is the peer, until the window ends.
  const connection = await connectAttested({ ...replay, peer: machine.demands })
  await connection.close()
  await rejectsCode('binding-invalid', connectAttested({ ...replay, peer: machine.demands }))
})

test('a client’s own binding reflected to it is refused: it was made in the other role', async t => {
  const { machine, identity, stolen } = await victim(t)
  const mirror = await rogueServer(t, tls(stolen), async socket => {
    const frames = framesOf(socket)
    await frames.next()
    sendHello(socket, CACHED)
    forward(socket, await frames.next())
  })
  await rejectsCode('binding-invalid', connectAttested({ ...mirror, peer: machine.demands, identity }))
})

test('right code on the wrong machine is refused where machines are listed', async t => {
  const [right, wrong] = [await intelMachine('sgx'), await intelMachine('sgx')]
  const both = mergeEndorsements(right.demands.endorsements as never, wrong.demands.endorsements as never)
  const demands: PeerDemands = {
    ...right.demands,
    anchors: [...right.demands.anchors, ...wrong.demands.anchors],
    endorsements: both,
    policy: parsePolicy({ ...LAPTOP, hardwareIds: [right.hardwareId] }),
  }
  const listening = async ({ driver }: Machine) => {
    const identity = await identityOf(t, driver)
    const listener = await listenerOf(t, identity)
    return { host: listener.host, port: listener.port, peer: demands }
  }
  await (await connectAttested(await listening(right))).close()
  const error = await rejectsCode('appraisal-refused', connectAttested(await listening(wrong)))
  assert.deepEqual(
    error.violations.map(({ path }) => path),
    ['hardwareIds'],
  )
})

test('stolen keys end with the window that the evidence states, whatever a new certificate says', async t => {
  const { machine, stolen } = await victim(t)
  const later = new Date(Date.now() + 7_200_000)
  const forged = forge(() => extensionOf(stolen), {
    privateKey: createPrivateKey(stolen.keyPem),
    notAfter: new Date(later.getTime() + MINUTE_MS),
  })
  const thief = await rogueServer(t, forged, greet)
  const demands = { ...machine.demands, now: () => later }
  const error = await rejectsCode('certificate-expired', connectAttested({ ...thief, peer: demands }))
  assert.match(error.message, /what the evidence states/)
})

test('a certificate that has ended is refused, though the window of its evidence goes on', async t => {
  const { machine, stolen } = await victim(t)
  const later = new Date(Date.now() + 2 * MINUTE_MS)
  const forged = forge(() => extensionOf(stolen), {
    privateKey: createPrivateKey(stolen.keyPem),
    notAfter: new Date(Date.now() + MINUTE_MS),
  })
  const server = await rogueServer(t, forged, greet)
  const demands = { ...machine.demands, now: () => later }
  const error = await rejectsCode('certificate-expired', connectAttested({ ...server, peer: demands }))
  assert.match(error.message, /^the certificate is/)
})

test('with both keys stolen, evidence that is demanded for this session is what the thief cannot give', async t => {
  const { machine, stolen } = await victim(t)
  const old = readCarried(readCertificate(stolen.certificate).extensions).evidence
  for (const [evidence, code] of [
    [new Uint8Array(), 'session-evidence-missing'],
    [old, 'session-evidence-invalid'],
  ] as const) {
    const thief = await rogueServer(t, tls(stolen), async socket => {
      await framesOf(socket).next()
      sendHello(socket, { demands: 'anyone' })
      const message = messageOf(socket, stolen, { demands: 'session' })
      sendBinding(socket, signBinding(message, stolen.bindingKey!), evidence)
    })
    const peer: PeerDemands = { ...machine.demands, freshness: 'session' }
    await rejectsCode(code, connectAttested({ ...thief, peer }))
  }
})

test('a peer without evidence is refused, at either end', async t => {
  const { machine, identity } = await victim(t)
  const bare = await identityOf(t, 'none')
  const plain = await listenerOf(t, bare)
  await rejectsCode('evidence-missing', connectAttested({ ...plain, peer: machine.demands }))

  const refused: string[] = []
  const strict = await listenerOf(t, identity, {
    peers: machine.demands,
    onConnection: () => assert.fail('nobody gets in here'),
    onRefused: ({ code }) => refused.push(code),
  })
  const at = { ...strict, peer: machine.demands }
  // It knows for itself that it has nothing to show; a client that goes on regardless is told.
  await rejectsCode('identity-missing', connectAttested(at))
  await rejectsCode('identity-missing', connectAttested({ ...at, identity: bare }))
  const rogue = await rogueClient(t, strict)
  sendHello(rogue, { demands: 'anyone' })
  assert.equal(await refusalOf(framesOf(rogue)), 'evidence-missing')
  assert.equal(refused.at(-1), 'evidence-missing')
})

test('a refused peer learns a code and nothing else', async t => {
  const [server, client] = [await victim(t), await victim(t)]
  const demands = { ...client.machine.demands, policy: parsePolicy({ ...LAPTOP, simulated: false }) }
  const seen = Promise.withResolvers<string>()
  const listener = await listenerOf(t, server.identity, {
    peers: demands,
    onConnection: () => assert.fail('nobody gets in here'),
    onRefused: error => seen.resolve(`${error.code} ${error.violations[0]?.path}`),
  })
  const error = await rejectsCode(
    'refused-by-peer',
    connectAttested({ ...listener, peer: server.machine.demands, identity: client.identity }),
  )
  assert.equal(await seen.promise, 'appraisal-refused simulated')
  assert.equal(error.got, 'appraisal-refused')
  assert.deepEqual(error.violations, [])
})

test('with both keys stolen, fresh evidence of another machine does not stand for the one that was robbed', async t => {
  const { machine, stolen } = await victim(t)
  const own = await intelMachine('tdx')
  const thief = await rogueServer(t, tls(stolen), async socket => {
    await framesOf(socket).next()
    sendHello(socket, { demands: 'anyone' })
    const message = messageOf(socket, stolen, { demands: 'session' })
    const reportData = new Uint8Array(64)
    reportData.set(sessionDigest(message))
    const { evidence } = await own.driver.quote(reportData)
    sendBinding(socket, signBinding(message, stolen.bindingKey!), evidence)
  })
  const peer: PeerDemands = {
    ...machine.demands,
    freshness: 'session',
    anchors: [...machine.demands.anchors, ...own.demands.anchors],
    endorsements: mergeEndorsements(machine.demands.endorsements as never, own.demands.endorsements as never),
  }
  const error = await rejectsCode('session-evidence-invalid', connectAttested({ ...thief, peer }))
  assert.match(error.message, /hardwareId/)
})

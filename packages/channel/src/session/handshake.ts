// After the TLS handshake and before any byte of the application: each side says what it demands, proves what is
// demanded of it, and says that it is content. Only then does either hand the connection to its application.
import type { TLSSocket } from 'node:tls'
import { asChannelError, ChannelError, isChannelErrorCode } from '../errors.ts'
import { type ChannelIdentity, sessionDigest } from '../identity/identity.ts'
import { appraiseSessionEvidence } from '../peer/appraise.ts'
import type { Peer, PeerDemands } from '../peer/demands.ts'
import { verifierOf } from '../peer/verifier.ts'
import {
  bindingMessage,
  exporterOf,
  type Role,
  type SessionFacts,
  signBinding,
  verifyBinding,
} from './binding.ts'
import { encodeFrame, FRAME, type Frame, FrameReader, type FrameType } from './frames.ts'
import { decodeHello, encodeHello, type Hello } from './hello.ts'

/** Length of the signature, before it and the evidence. */
const SIGNATURE_LENGTH_SIZE = 2

export interface HandshakeSettings {
  readonly role: Role
  /** Null for a client that shows nothing. */
  readonly identity: ChannelIdentity | null
  readonly peer: PeerDemands | 'anyone'
}

/** The peer, or null if anyone was taken. @throws {ChannelError} what the peer is refused for */
export async function shakeHands(socket: TLSSocket, settings: HandshakeSettings): Promise<Peer | null> {
  const reader = new FrameReader(socket)
  try {
    return await exchange(socket, reader, settings)
  } catch (cause) {
    const error = asChannelError(cause)
    const { code } = error
    // The code and nothing else: what was expected is nobody's business who does not meet it.
    if (socket.writable && code !== 'refused-by-peer') {
      socket.end(encodeFrame(FRAME.refused, Buffer.from(code, 'latin1')))
    }
    throw error
  } finally {
    reader.release()
  }
}

async function exchange(
  socket: TLSSocket,
  reader: FrameReader,
  { role, identity, peer }: HandshakeSettings,
): Promise<Peer | null> {
  const own: Hello = { demands: peer === 'anyone' ? 'anyone' : (peer.freshness ?? 'cached') }
  socket.write(encodeFrame(FRAME.hello, encodeHello(own)))
  // While the peer greets, its certificate can be looked at; what comes of it counts further down.
  const theirs = socket.getPeerX509Certificate()
  const verdict = peer === 'anyone' || theirs === undefined ? null : verifierOf(peer).verdict(theirs)
  verdict?.catch(() => undefined)
  const hello = decodeHello(expectFrame(await reader.next(), FRAME.hello))
  const facts = factsOf(socket, { role, own, hello, theirs: theirs?.raw })
  if (hello.demands !== 'anyone') {
    socket.write(await encodeBinding(socket, { role, identity, facts, demands: hello.demands }))
  }
  const found = peer === 'anyone' ? null : await acceptPeer(reader, { role, facts, peer, verdict })
  socket.write(encodeFrame(FRAME.ready))
  expectNothing(expectFrame(await reader.next(), FRAME.ready))
  return found
}

interface Seen {
  readonly role: Role
  readonly own: Hello
  readonly hello: Hello
  readonly theirs: Uint8Array | undefined
}

function factsOf(socket: TLSSocket, { role, own, hello, theirs }: Seen): SessionFacts {
  const [clientHello, serverHello] = role === 'client' ? [own, hello] : [hello, own]
  const ours = socket.getX509Certificate()?.raw
  const [client, server] = role === 'client' ? [ours, theirs] : [theirs, ours]
  if (server === undefined) throw new ChannelError('evidence-missing', 'the server shows no certificate')
  return {
    exporter: exporterOf(socket),
    serverCertificate: server,
    // One that is not asked for is not shown, even where there is one.
    clientCertificate: serverHello.demands === 'anyone' ? null : (client ?? null),
    clientHello,
    serverHello,
  }
}

interface OwnSide {
  readonly role: Role
  readonly identity: ChannelIdentity | null
  readonly facts: SessionFacts
  readonly demands: Exclude<Hello['demands'], 'anyone'>
}

/** @throws {ChannelError} identity-missing, session-evidence-missing, identity-expired */
async function encodeBinding(
  socket: TLSSocket,
  { role, identity, facts, demands }: OwnSide,
): Promise<Buffer> {
  const own = socket.getX509Certificate()?.raw
  const key = own === undefined ? null : (identity?.credentialsOf(own).bindingKey ?? null)
  if (identity === null || key === null) {
    throw new ChannelError('identity-missing', 'the peer demands evidence, and this side has none', {
      hint: 'give an identity that was opened with an attestation driver',
    })
  }
  const message = bindingMessage(role, facts)
  const signature = signBinding(message, key)
  const evidence =
    demands === 'session' ? await identity.sessionEvidence(sessionDigest(message)) : new Uint8Array()
  const length = Buffer.alloc(SIGNATURE_LENGTH_SIZE)
  length.writeUInt16LE(signature.length)
  return encodeFrame(FRAME.binding, length, signature, evidence)
}

interface OtherSide {
  readonly role: Role
  readonly facts: SessionFacts
  readonly peer: PeerDemands
  readonly verdict: ReturnType<ReturnType<typeof verifierOf>['verdict']> | null
}

async function acceptPeer(reader: FrameReader, { role, facts, peer, verdict }: OtherSide): Promise<Peer> {
  if (verdict === null) {
    throw new ChannelError('evidence-missing', 'the peer shows no certificate', {
      hint: 'the peer has to be started with an identity from an attestation driver',
    })
  }
  const accepted = await verdict
  const { signature, evidence } = readBinding(await reader.next())
  if (accepted.bindingKey === null) {
    throw new ChannelError('binding-missing', 'the evidence vouches for no key that signs for sessions')
  }
  const message = bindingMessage(role === 'client' ? 'server' : 'client', facts)
  if (!verifyBinding(message, accepted.bindingKey, signature)) {
    throw new ChannelError('binding-invalid', 'the peer’s signature is not one over this session', {
      hint: 'somebody between you and the peer may be relaying its evidence',
    })
  }
  if ((peer.freshness ?? 'cached') === 'cached') return accepted.peer
  if (evidence.length === 0) {
    throw new ChannelError('session-evidence-missing', 'the peer sent no evidence made for this session')
  }
  return appraiseSessionEvidence(evidence, sessionDigest(message), { verdict: accepted, demands: peer })
}

function readBinding(frame: Frame): { readonly signature: Uint8Array; readonly evidence: Uint8Array } {
  if (frame.type !== FRAME.binding && frame.type !== FRAME.refused) {
    throw new ChannelError('binding-missing', 'the peer went on without binding its evidence to this session')
  }
  const body = Buffer.from(expectFrame(frame, FRAME.binding))
  const length = body.length < SIGNATURE_LENGTH_SIZE ? 0 : body.readUInt16LE()
  const end = SIGNATURE_LENGTH_SIZE + length
  if (length === 0 || end > body.length) {
    throw new ChannelError('binding-invalid', 'the binding frame holds no signature')
  }
  return { signature: body.subarray(SIGNATURE_LENGTH_SIZE, end), evidence: body.subarray(end) }
}

/** Bytes that are not signed would say nothing. @throws {ChannelError} protocol-violation */
function expectNothing(body: Uint8Array): void {
  if (body.length === 0) return
  throw new ChannelError('protocol-violation', 'the peer says more than that it is ready', {
    expected: 'an empty frame',
    got: `${body.length} bytes`,
  })
}

/** @throws {ChannelError} refused-by-peer, protocol-violation */
function expectFrame({ type, body }: Frame, wanted: FrameType): Uint8Array {
  if (type === wanted) return body
  if (type === FRAME.refused) {
    const text = Buffer.from(body).toString('latin1')
    const code = isChannelErrorCode(text) ? text : 'an unknown code'
    throw new ChannelError('refused-by-peer', `the other side refused this one: ${code}`, { got: code })
  }
  throw new ChannelError('protocol-violation', `the peer sent frame ${type} where ${wanted} was due`, {
    expected: String(wanted),
    got: String(type),
  })
}

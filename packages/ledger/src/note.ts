// C2SP signed-note: a text, a blank line, signature lines `— name base64(key id | signature)`.
// A signature by a key that was not asked about is ignored, as the specification wants (witnesses co-sign);
// one by the key that was asked about must verify.
import { sha256, verifyEd25519 } from '#crypto'
import { concatBytes, decodeBase64, encodeBase64, encodeHex, equalBytes, utf8 } from './bytes.ts'
import { LedgerError } from './errors.ts'

/** Algorithm byte of an Ed25519 key in signed-note. */
const ED25519 = 0x01
const KEY_ID_SIZE = 4
const PUBLIC_KEY_SIZE = 32
/** Notes with more are refused, as the Go implementation does: nobody co-signs that often. */
const MAX_SIGNATURES = 100
const SIGNATURE_LINE = /^— ([^\s+]+) (\S+)$/u
// Control characters are refused in a note, but for the newline.
// oxlint-disable-next-line no-control-regex
const CONTROL = /[\u0000-\u0009\u000b-\u001f]/

/** A key that notes can be checked with. */
export interface VerifierKey {
  readonly name: string
  /** First four bytes of SHA-256(name | 0x0A | 0x01 | public key). */
  readonly id: Uint8Array
  /** Raw Ed25519, 32 bytes. */
  readonly publicKey: Uint8Array
}

/** One signature line, unverified. */
export interface NoteSignature {
  readonly name: string
  readonly keyId: Uint8Array
  readonly signature: Uint8Array
}

/** A note whose signatures nobody has looked at yet. */
export interface UnverifiedNote {
  /** With its final newline: exactly what is signed. */
  readonly text: string
  readonly signatures: readonly NoteSignature[]
}

/** The bytes of which a key's id is the hash. @throws {LedgerError} key-malformed if the name cannot be a key's name */
export function keyIdInput(name: string, publicKey: Uint8Array): Uint8Array {
  if (!isKeyName(name)) throw keyMalformed('a key name has no white space and no +', name)
  return concatBytes(utf8(name), Uint8Array.of(0x0a, ED25519), publicKey)
}

/** `idHash` is the SHA-256 of {@link keyIdInput}. */
export function withKeyId(name: string, publicKey: Uint8Array, idHash: Uint8Array): VerifierKey {
  return { name, id: idHash.slice(0, KEY_ID_SIZE), publicKey }
}

/** `publicKey` is raw Ed25519. @throws {LedgerError} key-malformed if the name cannot be a key's name */
export async function makeVerifierKey(name: string, publicKey: Uint8Array): Promise<VerifierKey> {
  return withKeyId(name, publicKey, await sha256(keyIdInput(name, publicKey)))
}

/** `name+hash+base64`, as people paste it. */
export function formatVerifierKey(key: VerifierKey): string {
  return `${key.name}+${encodeHex(key.id)}+${encodeBase64(concatBytes(Uint8Array.of(ED25519), key.publicKey))}`
}

/** @throws {LedgerError} key-malformed */
export async function parseVerifierKey(text: string): Promise<VerifierKey> {
  const match = /^([^+]+)\+([0-9a-f]{8})\+(.+)$/.exec(text)
  const [, name, id, encoded] = match ?? []
  if (name === undefined || id === undefined || encoded === undefined) {
    throw keyMalformed('want name+hash+base64', text)
  }
  const material = decodeBase64(encoded)
  if (material === null) throw keyMalformed('the key is not base64', text)
  if (material[0] !== ED25519 || material.length !== 1 + PUBLIC_KEY_SIZE) {
    throw keyMalformed('want an Ed25519 key: the byte 01 and 32 bytes', text)
  }
  const key = await makeVerifierKey(name, material.slice(1))
  if (encodeHex(key.id) !== id) throw keyMalformed(`the hash is ${id}, want ${encodeHex(key.id)}`, text)
  return key
}

/** @throws {LedgerError} note-malformed */
export function parseNote(note: string): UnverifiedNote {
  if (!note.isWellFormed() || CONTROL.test(note)) throw noteMalformed('it holds characters that no note may')
  const split = note.lastIndexOf('\n\n')
  if (split < 0) throw noteMalformed('no blank line before the signatures')
  const [text, block] = [note.slice(0, split + 1), note.slice(split + 2)]
  if (text === '\n') throw noteMalformed('no text')
  if (!block.endsWith('\n')) throw noteMalformed('no newline at the end')
  const lines = block.slice(0, -1).split('\n')
  if (lines.length > MAX_SIGNATURES)
    throw noteMalformed(`${lines.length} signatures, want ${MAX_SIGNATURES} at most`)
  return { text, signatures: lines.map(parseSignature) }
}

function parseSignature(line: string): NoteSignature {
  const [, name, encoded] = SIGNATURE_LINE.exec(line) ?? []
  const bytes = encoded === undefined ? null : decodeBase64(encoded)
  if (name === undefined || bytes === null || bytes.length <= KEY_ID_SIZE) {
    throw noteMalformed('a signature line is not `— name base64`')
  }
  return { name, keyId: bytes.slice(0, KEY_ID_SIZE), signature: bytes.slice(KEY_ID_SIZE) }
}

/** The signed text. @throws {LedgerError} note-malformed, checkpoint-untrusted */
export async function openNote(note: string, key: VerifierKey): Promise<string> {
  const { text, signatures } = parseNote(note)
  const own = signatures.filter(({ name, keyId }) => name === key.name && equalBytes(keyId, key.id))
  if (own.length === 0) throw untrusted('it bears no signature by this key', key, signatures)
  for (const { signature } of own) {
    if (!(await verifyEd25519(key.publicKey, utf8(text), signature))) {
      throw altered(key)
    }
  }
  return text
}

/** The line that a signature by `key` over a note's text becomes. */
export function formatSignature(key: VerifierKey, signature: Uint8Array): string {
  return `— ${key.name} ${encodeBase64(concatBytes(key.id, signature))}\n`
}

function isKeyName(name: string): boolean {
  return /^[^\s+]+$/u.test(name) && name.isWellFormed() && !CONTROL.test(name)
}

function keyMalformed(message: string, got: string): LedgerError {
  return new LedgerError('key-malformed', `not a verifier key: ${message}`, {
    expected: 'name+hash+base64',
    got,
    hint: 'a broker shows its key at /v1/ledger/key',
  })
}

function noteMalformed(message: string): LedgerError {
  return new LedgerError('note-malformed', `not a signed note: ${message}`)
}

/** The key is the right one, so that comparing keys would explain nothing. */
function altered({ name }: VerifierKey): LedgerError {
  return new LedgerError(
    'checkpoint-untrusted',
    `the note is not to be trusted: the signature of ${name} is not valid over its text`,
    { hint: 'the text was altered after it was signed; fetch it again from the log' },
  )
}

function untrusted(message: string, key: VerifierKey, found: readonly NoteSignature[]): LedgerError {
  return new LedgerError('checkpoint-untrusted', `the note is not to be trusted: ${message}`, {
    expected: `${key.name}+${encodeHex(key.id)}`,
    got: found.map(({ name, keyId }) => `${name}+${encodeHex(keyId)}`).join(', '),
    hint: 'check that the key is the one of this log',
  })
}

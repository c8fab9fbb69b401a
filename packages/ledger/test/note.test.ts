// Signed notes and checkpoints against keys and notes of others: Go's note package and the Go checksum database.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  formatCheckpoint,
  formatVerifierKey,
  makeVerifierKey,
  openCheckpoint,
  openNote,
  parseCheckpoint,
  parseNote,
  parseVerifierKey,
} from '../src/index.ts'
import { rejectsCode, throwsCode } from './expect-code.ts'

const PETER = 'PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW'
const ENOCH = 'EnochRoot+af0cfe78+ATtqJ7zOtqQtYqOo0CpvDXNlMhV3HeJDpjrASKGLWdop'
const TEXT = `If you think cryptography is the answer to your problem,
then you don't know what your problem is.
`
const PETER_LINE =
  '— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n'
const ENOCH_LINE =
  '— EnochRoot rwz+eBzmZa0SO3NbfRGzPCpDckykFXSdeX+MNtCOXm2/5n2tiOHp+vAF1aGrQ5ovTG01oOTGwnWLox33WWd1RvMc+QQ=\n'

const SUMDB = 'sum.golang.org+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8'
const SUMDB_ORIGIN = 'go.sum database tree'
const SUMDB_CHECKPOINT = `go.sum database tree
15067302
gJyioq6dwR9n+NjEWORfYmH+ubeYm3kH42BBQ0bTpYI=

— sum.golang.org Az3grp1rvWOs5NKlr/xR4GLN/CDyzzakmt1o61uSxYKpK1SerqOP2ClbX/peKUZjYnyomH5Xz7GZG3TpB7OeKn4E2ww=
— test.example.com qTGhC/xIPQ0AXKHK6Y+9ypRfuvMZWPjRXM8NiOg5M1WREn07VQXyuIXM3NRNav3ieVFLUqDRK77PWDmL6w8w84UqeAw=
`

test('keys of the Go implementation are read and written alike', async () => {
  for (const text of [PETER, ENOCH, SUMDB])
    assert.equal(formatVerifierKey(await parseVerifierKey(text)), text)
})

test('no part of a verifier key is a verifier key', async () => {
  for (let start = 0; start < PETER.length; start++) {
    for (let end = start + 1; end <= PETER.length; end++) {
      if (start === 0 && end === PETER.length) continue
      await rejectsCode('key-malformed', parseVerifierKey(PETER.slice(start, end)))
    }
  }
})

test('a verifier key with one changed character is refused', async () => {
  for (let at = 0; at < PETER.length; at++) {
    const changed = PETER.slice(0, at) + String.fromCharCode(PETER.charCodeAt(at) + 1) + PETER.slice(at + 1)
    await rejectsCode('key-malformed', parseVerifierKey(changed))
  }
})

test('a key of another length or algorithm is refused although its hash is right', async () => {
  const long = 'PeterNeumann+cc469956+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TWBADKEY=='
  const unknown = 'PeterNeumann+173116ae+ZRpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW'
  const short = formatVerifierKey(await makeVerifierKey('PeterNeumann', new Uint8Array(31)))
  for (const text of [long, short, unknown]) await rejectsCode('key-malformed', parseVerifierKey(text))
})

test('a note signed by the Go implementation opens', async () => {
  assert.equal(await openNote(`${TEXT}\n${PETER_LINE}`, await parseVerifierKey(PETER)), TEXT)
})

test('signatures by keys that were not asked about are ignored', async () => {
  const note = `${TEXT}\n${PETER_LINE}${ENOCH_LINE}`
  for (const key of [PETER, ENOCH]) assert.equal(await openNote(note, await parseVerifierKey(key)), TEXT)
  const nonsense = `${TEXT}\n— PeterNeumann AAAAAAAA\n${PETER_LINE}`
  assert.equal(await openNote(nonsense, await parseVerifierKey(PETER)), TEXT)
})

test('a note without a signature by the key is not trusted', async () => {
  await rejectsCode('checkpoint-untrusted', openNote(`${TEXT}\n${PETER_LINE}`, await parseVerifierKey(ENOCH)))
  // The right id under another name is another key.
  const renamed = PETER_LINE.replace('PeterNeumann', 'PeterNewmann')
  await rejectsCode('checkpoint-untrusted', openNote(`${TEXT}\n${renamed}`, await parseVerifierKey(PETER)))
})

test('a note with a wrong signature by the key is not trusted, even beside a right one', async () => {
  const key = await parseVerifierKey(PETER)
  const wrong = PETER_LINE.replace('RZb6KE6', 'RZb6KE7')
  await rejectsCode('checkpoint-untrusted', openNote(`${TEXT}\n${wrong}`, key))
  // The key is right, so that the message blames the text, and shows no two equal keys.
  await assert.rejects(openNote(`${TEXT}\n${wrong}`, key), {
    message: /is not valid over its text$/,
    expected: undefined,
    got: undefined,
  })
  await rejectsCode('checkpoint-untrusted', openNote(`${TEXT}\n${PETER_LINE}${wrong}`, key))
  await rejectsCode('checkpoint-untrusted', openNote(`${TEXT.replace('you', 'You')}\n${PETER_LINE}`, key))
})

const MALFORMED_NOTES = {
  'no blank line': `${TEXT}${PETER_LINE}`,
  'no signature': `${TEXT}\n`,
  'no final newline': `${TEXT}\n${PETER_LINE.trimEnd()}`,
  'another character than a newline at the end': `${TEXT}\n${PETER_LINE.trimEnd()}x`,
  'no text': `\n\n${PETER_LINE}`,
  'a hyphen for the dash': `${TEXT}\n${PETER_LINE.replace('—', '-')}`,
  'no name': `${TEXT}\n— ${PETER_LINE.split(' ')[2]}`,
  'a signature that is only a key id': `${TEXT}\n— PeterNeumann x08gow==\n`,
  'base64 without its padding': `${TEXT}\n${PETER_LINE.replace('=', '')}`,
  'a control character': `${TEXT.replace('you', 'y\tu')}\n${PETER_LINE}`,
  'a lone surrogate': `${TEXT.replace('you', 'y\ud800u')}\n${PETER_LINE}`,
  'a hundred and one signatures': `${TEXT}\n${PETER_LINE.repeat(101)}`,
}
for (const [what, note] of Object.entries(MALFORMED_NOTES)) {
  test(`a note with ${what} is malformed`, () => throwsCode('note-malformed', () => parseNote(note)))
}

test('a co-signed checkpoint of the Go checksum database opens', async () => {
  const key = await parseVerifierKey(SUMDB)
  const checkpoint = await openCheckpoint(SUMDB_CHECKPOINT, { key, origin: SUMDB_ORIGIN })
  assert.equal(checkpoint.size, 15067302)
  assert.equal(
    Buffer.from(checkpoint.root).toString('base64'),
    'gJyioq6dwR9n+NjEWORfYmH+ubeYm3kH42BBQ0bTpYI=',
  )
  assert.deepEqual(checkpoint.extensions, [])
})

test('a checkpoint of another log is refused as such, whoever signed it', async () => {
  const key = await parseVerifierKey(SUMDB)
  await rejectsCode(
    'checkpoint-foreign',
    openCheckpoint(SUMDB_CHECKPOINT, { key, origin: 'go.sum database' }),
  )
})

test('a checkpoint with a changed size is not trusted', async () => {
  const key = await parseVerifierKey(SUMDB)
  const changed = SUMDB_CHECKPOINT.replace('15067302', '15067303')
  await rejectsCode('checkpoint-untrusted', openCheckpoint(changed, { key, origin: SUMDB_ORIGIN }))
})

test('a checkpoint keeps its extension lines', () => {
  const text = formatCheckpoint({
    origin: 'log',
    size: 7,
    root: new Uint8Array(32),
    extensions: ['one', 'two'],
  })
  assert.deepEqual(parseCheckpoint(text).extensions, ['one', 'two'])
  assert.equal(formatCheckpoint(parseCheckpoint(text)), text)
})

const ROOT = 'gJyioq6dwR9n+NjEWORfYmH+ubeYm3kH42BBQ0bTpYI='
const MALFORMED_CHECKPOINTS = {
  'two lines': 'log\n7\n',
  'no final newline': `log\n7\n${ROOT}`,
  'an empty origin': `\n7\n${ROOT}\n`,
  'a size with a leading zero': `log\n07\n${ROOT}\n`,
  'a negative size': `log\n-7\n${ROOT}\n`,
  'a size that no double holds': `log\n9007199254740993\n${ROOT}\n`,
  'a short root': 'log\n7\ngJyioq6dwR9n\n',
  'a root that is not base64': `log\n7\n${ROOT.replace('g', '*')}\n`,
  'a root with stray bits': `log\n7\n${ROOT.replace('I=', 'J=')}\n`,
  'an empty extension line': `log\n7\n${ROOT}\n\nmore\n`,
}
for (const [what, text] of Object.entries(MALFORMED_CHECKPOINTS)) {
  test(`a checkpoint with ${what} is malformed`, () =>
    throwsCode('checkpoint-malformed', () => parseCheckpoint(text)))
}

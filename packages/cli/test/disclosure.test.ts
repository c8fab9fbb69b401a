// What a file holds is nobody's business but its reader's: an error names the file, and shows a short value at most.
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { failureOf } from '../src/failure/failure-of.ts'
import { plain } from '../src/terminal/marks.ts'
import { clip } from '../src/terminal/printable.ts'
import { casemate, temporaryDirectory } from './run.ts'

const cwd = temporaryDirectory(after)
const SECRET = 'AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8'
writeFileSync(
  join(cwd, 'kek.json'),
  JSON.stringify({ format: 'casemate-kek/1', id: 1, key: SECRET }, null, 1),
)
writeFileSync(join(cwd, 'admin-token'), `cmt_${SECRET}\n`)
writeFileSync(join(cwd, 'picture.jpg'), SECRET.repeat(1_000))
writeFileSync(join(cwd, 'almost.key'), `name+00000000+${SECRET}\nand ${SECRET}`)
writeFileSync(join(cwd, 'quote.bin'), 'x')

for (const file of ['kek.json', 'admin-token', 'picture.jpg', 'almost.key']) {
  const lines = [
    ['log', 'verify', 'receipt.json', '--key', file],
    ['log', 'check', '--since', file, '--key', file],
    ['verify', 'quote.bin', '--policy', file],
    ['verify', 'quote.bin', '--references', file],
    ['verify', 'quote.bin', '--trust', file],
    ['verify', 'quote.bin', '--endorsements', file],
    ['verify', file],
    ['config', 'show', '--config', file],
    ...(file === 'admin-token' ? [] : [['secret', 'list', '--token-file', file]]),
  ]
  test(`no error shows what is in ${file}`, async () => {
    for (const line of lines) {
      for (const args of [line, [...line, '--json']]) {
        const { code, stdout, stderr } = await casemate(args, { cwd })
        assert.ok(code === 1 || code === 2, args.join(' '))
        assert.ok(!(stdout + stderr).includes(SECRET.slice(0, 12)), args.join(' '))
      }
    }
  })
}

test('a file that is no verifier key is named, with its length', async () => {
  const { code, stderr } = await casemate(['log', 'verify', 'r', '--key', 'picture.jpg'], { cwd })
  assert.equal(code, 2)
  assert.match(
    stderr,
    /^casemate: file-malformed: picture\.jpg \(43000 bytes\) holds no verifier key\nhint: /,
  )
})

test('what is no administrator’s token is neither sent nor shown', async () => {
  const { code, stderr } = await casemate(['secret', 'list', '--token-file', 'kek.json'], { cwd })
  assert.equal(code, 2)
  assert.match(stderr, /^casemate: token-malformed: kek\.json \(\d+ characters\) is no/)
  const env = { CASEMATE_TOKEN: SECRET }
  const typed = await casemate(['secret', 'list'], { cwd, env })
  assert.equal(typed.code, 2)
  assert.match(typed.stderr, /^casemate: token-malformed: CASEMATE_TOKEN \(/)
  assert.ok(!typed.stderr.includes(SECRET))
})

test('a found or wanted value is clipped wherever an error is printed, and a hash is whole', () => {
  const long = 'x'.repeat(50_000)
  const thrown = Object.assign(new Error('m'), { name: 'Refusal', code: 'c', expected: long, got: long })
  const { expected = '', got = '' } = failureOf(thrown)
  assert.ok(expected.length < 160 && got.length < 160)
  assert.match(got, /^x{120}… \(50000 characters\)$/)
  const violations = [{ path: 'p', expected: long, got: long }]
  const many = failureOf(Object.assign(new Error('m'), { name: 'BrokerRefusal', code: 'c', violations }))
  assert.ok((many.problems ?? []).every(line => line.length < 400))
  assert.equal(clip('a'.repeat(96)), 'a'.repeat(96))
})

test('a value with members is told in words, and what is none is left as it is', () => {
  assert.equal(plain('{"fmc":null,"bootloader":4,"tee":0}'), 'bootloader 4, tee 0')
  assert.equal(plain('{"fmc":null}'), 'none')
  assert.equal(plain('{"a":{"b":1}}'), '{"a":{"b":1}}')
  assert.equal(plain('{not json'), '{not json')
})

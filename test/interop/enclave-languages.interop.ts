// Enclaves in C and Rust, made by the compilers of those languages: the README's enclave gets its secret from a broker, and
// one that uses all of the platform does what the same one in AssemblyScript does.

import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { createSecretKey, generateKeyPairSync, randomBytes } from 'node:crypto'
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, suite, type TestContext, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { buildEnclave, Enclave, encodeImage, makeRoot, parseImage, signImage } from '@casemate/enclave'
import { BIN } from '../../packages/cli/test/bin.ts'
import { startServing } from './serving.ts'
import { compile, ENCLAVE_PACKAGE, type Language, whyNoCompiler } from './toolchains.ts'

const ENCLAVES = fileURLToPath(new URL('./enclaves', import.meta.url))
const EXTENSIONS = { c: 'c', rust: 'rs' } as const
const LANGUAGES = ['c', 'rust'] as const satisfies readonly Language[]
const PHRASE = 'default/greet/phrase'

const work = mkdtempSync(join(tmpdir(), 'casemate-languages-'))
after(() => rmSync(work, { recursive: true, force: true }))

const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 3072, publicExponent: 3 })
const secret = createSecretKey(randomBytes(32))
const sealing = makeRoot({
  kind: 'simulated',
  cpuSvn: null,
  secrets: { mrEnclave: secret, mrSigner: secret },
})
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)
const utf8 = (content: Uint8Array): string => Buffer.from(content).toString()

interface Started {
  readonly enclave: Enclave
  /** What it said to the host. */
  readonly lines: string[]
}

async function start(t: TestContext, unsigned: Uint8Array): Promise<Started> {
  const lines: string[] = []
  const enclave = await Enclave.create(signImage(unsigned, { privateKey, date: '20261125' }), {
    platform: {
      sealing,
      secrets: new Map([[PHRASE, bytes('Grüezi')]]),
      log: ({ text }) => lines.push(text),
      report: () => undefined,
    },
    debug: false,
    signers: 'any',
    measurement: 'any',
  })
  t.after(() => enclave.close())
  return { enclave, lines }
}

function buildEverything(language: Language | 'assemblyscript'): Promise<Uint8Array> {
  const settings = { secrets: [PHRASE], configuration: { region: 'Zürich' }, isvProdId: 5 }
  if (language === 'assemblyscript')
    return buildEnclave({ entry: join(ENCLAVES, 'assembly/everything.ts'), ...settings })
  const entry = join(work, `everything-${language}.wasm`)
  compile(language, join(ENCLAVES, `everything.${EXTENSIONS[language]}`), entry)
  return buildEnclave({ entry, name: 'everything', ...settings })
}

/** Bytes as text, a failure as its code and status: what a caller sees. */
async function answerOf(enclave: Enclave, name: string, input: Uint8Array): Promise<string> {
  try {
    return utf8(await enclave.call(name, input))
  } catch (error) {
    const { code, got } = error as { code?: string; got?: string }
    return [code, ...(code === 'call-failed' ? [got] : [])].join(' ')
  }
}

/** What every one of them answers, in this order; they keep state. */
const ANSWERS: readonly (readonly [name: string, input: string, answer: string])[] = [
  ['greet', 'Zoë', 'Grüezi, Zoë!'],
  ['greet', '', 'Grüezi, !'],
  ['refuse', '', 'call-failed 7'],
  ['refuse', 'fine', 'fine'],
  ['setting', 'region', 'Zürich'],
  ['setting', 'other', 'none'],
  ['open', 'no blob', 'call-failed 2'],
  ['keep', 'the first', 'the first'],
  ['keep', 'another one, and a longer one', 'the first'],
  ['say', 'good mörning', ''],
  ['crash', '', 'enclave-crashed'],
  // A new instance, which knows nothing.
  ['keep', 'the second', 'the second'],
  ['starve', '', 'enclave-crashed'],
  ['greet', 'again', 'Grüezi, again!'],
]

for (const language of ['assemblyscript', ...LANGUAGES] as const) {
  const skip = language === 'assemblyscript' ? false : whyNoCompiler(language)
  suite(`an enclave in ${language}`, { skip }, () => {
    test('uses all that there is, with the answers that the others give', async t => {
      const image = await buildEverything(language)
      const { enclave, lines } = await start(t, image)
      for (const [name, input, answer] of ANSWERS)
        assert.equal(await answerOf(enclave, name, bytes(input)), answer, `${name} ${input}`)
      assert.equal(lines[0], 'good mörning')
      assert.match(lines[1] ?? '', /no way/)
      const [a, b] = await enclave.callBatch('draw', [Uint8Array.of(32), Uint8Array.of(32)])
      assert.equal(a?.length, 32)
      assert.notDeepEqual(a, b)
      const large = randomBytes(5_000_000)
      assert.deepEqual(Buffer.from(await enclave.call('refuse', large)), large)
      await assert.rejects(enclave.call('refuse', new Uint8Array(16 << 20)), { code: 'out-of-memory' })
    })

    test('opens what it sealed, and says why it does not open what was changed or is another product’s', async t => {
      const image = await buildEverything(language)
      const { enclave } = await start(t, image)
      const blob = await enclave.call('lock', bytes('mine'))
      assert.equal(await answerOf(enclave, 'open', blob), 'label:mine')
      const changed = blob.slice()
      changed[changed.length - 1]! ^= 1
      assert.equal(await answerOf(enclave, 'open', changed), 'call-failed 5')
      const other = await start(t, withProduct(image))
      assert.equal(await answerOf(other.enclave, 'open', blob), 'call-failed 11')
    })

    test('gives the same bytes when it is built again', async () => {
      assert.deepEqual(await buildEverything(language), await buildEverything(language))
    })
  })
}

/** The same code as product 6. */
function withProduct(image: Uint8Array): Uint8Array {
  const { manifest, code } = parseImage(image)
  return encodeImage({ ...manifest, isvProdId: 6 }, code)
}

test('the allocator of the C header gives no byte twice, and takes all of them back', {
  skip: whyNoCompiler('c'),
}, async t => {
  const { enclave } = await start(t, await buildEverything('c'))
  // Each leaves nothing behind, else the memory of 16 MiB would soon be full.
  for (let seed = 0; seed < 20; seed++)
    assert.deepEqual([...(await enclave.call('juggle', Uint8Array.of(seed)))], [0, 0, 0, 0])
  for (let time = 0; time < 3; time++)
    assert.deepEqual([...(await enclave.call('fill', new Uint8Array()))], [15])
})

test('the enclave that ABI.md shows in C runs', { skip: whyNoCompiler('c') }, async t => {
  const page = readFileSync(join(ENCLAVE_PACKAGE, 'ABI.md'), 'utf8')
  const source = join(work, 'shout.c')
  writeFileSync(source, /```c\n(.*?)```/s.exec(page)?.[1] ?? '')
  compile('c', source, join(work, 'shout.wasm'))
  const { enclave } = await start(t, await buildEnclave({ entry: join(work, 'shout.wasm') }))
  assert.equal(utf8(await enclave.call('shout', bytes('hello'))), 'HELLO')
})

suite('the README’s enclave in other languages', {
  skip: whyNoCompiler('c') || whyNoCompiler('rust'),
}, () => {
  test('is built, signed, attested and given its secret, as the one in AssemblyScript', async () => {
    const tour = ['up', '--tour', '--listen', '127.0.0.1:0']
    const [url = ''] = await startServing(work, tour, /http:\/\/127\.0\.0\.1:\d+(?=[^]*Ctrl-C)/)
    const run = (args: readonly string[], input = ''): string =>
      execFileSync(process.execPath, [BIN, ...args], {
        cwd: work,
        env: { ...process.env, CASEMATE_SERVER: url },
        input,
        encoding: 'utf8',
        stdio: ['pipe', 'pipe', 'pipe'],
      })
    run(['enclave', 'key', 'dev.pem'])
    run(['secret', 'put', PHRASE], 'Hello')
    for (const language of LANGUAGES) {
      const folder = join(work, 'examples', language)
      cpSync(join(ENCLAVE_PACKAGE, 'examples', language), folder, { recursive: true })
      const source = join(ENCLAVE_PACKAGE, 'examples', language, `greet.${EXTENSIONS[language]}`)
      compile(language, source, join(folder, 'greet.wasm'))
      run(['enclave', 'build', join(folder, 'greet.wasm')])
      const signed = JSON.parse(run(['enclave', 'sign', 'greet.enclave', '--key', 'dev.pem', '--json'])) as {
        measurement: string
      }
      const expression = `claims.enclave.mrEnclave == '${signed.measurement}'`
      const rule = ['rule', 'set', 'greet', '--secrets', 'default/greet/*', '--expression', expression]
      run([...rule, '--message', 'greet only'])
      assert.equal(run(['enclave', 'run', 'greet.enclave', '--server', url, '--input', 'Zoë']), 'Hello, Zoë!')
    }
  })
})

// The command that a newcomer types: from nothing to a verified answer, with nothing readable on the disk, and Ctrl-C.
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { type TestContext, test } from 'node:test'
import { verifyReceipt } from '@casemate/ledger'
import { run } from '../run.ts'

const RUN = resolve(import.meta.dirname, '../../run.ts')
const ROOT = resolve(import.meta.dirname, '../../..')

interface Started {
  readonly child: ChildProcess
  readonly temporary: string
  readonly output: () => string
  /** The exit code. */
  readonly ended: Promise<number | null>
}

function start(t: TestContext, ...args: string[]): Started {
  const temporary = mkdtempSync(join(tmpdir(), 'casemate-run-'))
  t.after(() => rmSync(temporary, { recursive: true }))
  const child = spawn(process.execPath, [RUN, 'genomics', ...args], {
    cwd: ROOT,
    env: { ...process.env, TMPDIR: temporary },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let text = ''
  child.stdout.on('data', chunk => (text += String(chunk)))
  child.stderr.on('data', chunk => (text += String(chunk)))
  const ended = once(child, 'close').then(([code]) => code as number | null)
  return { child, temporary, output: () => text, ended }
}

test('one command seals, proves, asks, audits and records, and leaves nothing readable', async t => {
  const kept = mkdtempSync(join(tmpdir(), 'casemate-kept-'))
  t.after(() => rmSync(kept, { recursive: true }))
  const directory = join(kept, 'stage')
  const { output, ended, temporary } = start(t, '--keep', directory)
  assert.equal(await ended, 0, output())
  for (const line of [
    'band 5 of 10, and nothing else',
    'all 2000 scores to the last bit',
    'appraisal-refused',
  ]) {
    assert.ok(output().includes(line), output())
  }
  assert.deepEqual(readdirSync(temporary), [])
  const read = (name: string): string => readFileSync(join(directory, name), 'utf8')
  const receipt = JSON.parse(read('receipt.json')) as Parameters<typeof verifyReceipt>[0]
  const { entry } = await verifyReceipt(receipt, { key: read('log.key').trim() })
  assert.equal(entry['secret'], 'genomics/key/data')
  for (const file of readdirSync(directory, { recursive: true, withFileTypes: true })) {
    if (!file.isFile()) continue
    const bytes = readFileSync(join(file.parentPath, file.name))
    for (const plain of ['#CHROM', '0|0\t0|0', 'SYN00001', 'effect_allele']) {
      assert.ok(!bytes.includes(plain), `${file.name} has ${plain}`)
    }
  }
})

test('Ctrl-C ends it, and nothing is left', async t => {
  const { child, ended, temporary, output } = start(t)
  await once(child.stdout!, 'data')
  child.kill('SIGINT')
  assert.equal(await ended, 130, output())
  assert.deepEqual(readdirSync(temporary), [])
})

test('options that are none, and a folder that is there already, are refused', async () => {
  const { signal } = new AbortController()
  const given = [['--nonsense'], ['--platform', 'tpm'], ['--vcf', 'x'], ['--keep', ROOT]]
  for (const args of given) {
    await assert.rejects(run({ args, signal, print: () => assert.fail('it began') }), { code: 'usage' })
  }
})

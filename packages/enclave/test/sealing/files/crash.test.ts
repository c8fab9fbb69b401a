// Kills a process that moves sealed files: at everything that it reports, and at random points. Afterwards every file
// opens, under the old root or the new one, to what was in it; the next run does the rest and leaves nothing behind.
// CASEMATE_LONG_TESTS=1 kills some hundreds of times at random.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, readdirSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { findSealed, resealAll } from '../../../src/sealing/files/reseal.ts'
import { fill, folder, MOVE, namesIn, plaintextOfSample, SAMPLES, type Sample, whereIs } from './fixture.ts'

const IS_LONG = process.env['CASEMATE_LONG_TESTS'] === '1'
const ROUNDS = IS_LONG ? 4 : 1
const FILES = IS_LONG ? 40 : 8
/** How long a child may work before it is killed, counted from its first word; longer each time, so that one gets through. */
const MAX_LIFE_MS = 100
const MORE_MS = 5
const CHILD = fileURLToPath(new URL('crash-child.ts', import.meta.url))

async function runChild(args: readonly string[], killAfterMs: number | null): Promise<string[]> {
  const child = spawn(process.execPath, [CHILD, ...args], { stdio: ['ignore', 'pipe', 'inherit'] })
  let output = ''
  child.stdout.setEncoding('utf8')
  child.stdout.on('data', (chunk: string) => (output += chunk))
  const closed = once(child, 'close')
  if (killAfterMs !== null) {
    await Promise.race([once(child.stdout, 'data'), closed])
    await Promise.race([sleep(killAfterMs), closed])
    child.kill('SIGKILL')
  }
  const [code] = (await closed) as [number | null]
  assert.ok(code === null || code === 0, `the child failed by itself with ${code}`)
  return output.trimEnd().split('\n')
}

function checkNoPlaintext(directory: string, samples: readonly Sample[]): void {
  for (const entry of readdirSync(directory, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue
    const content = readFileSync(join(entry.parentPath, entry.name))
    for (const sample of samples)
      if (sample.size > 0) assert.ok(!content.includes(plaintextOfSample(sample).subarray(0, 32)), entry.name)
  }
}

/** Every file is whole; the rest of the run is done, and the directory holds what it held, and nothing else. */
async function finish(directory: string, samples: readonly Sample[]): Promise<number> {
  checkNoPlaintext(directory, samples)
  const before = samples.map(sample => whereIs(directory, sample))
  const { moved, already, failures } = await resealAll(await findSealed([directory]), MOVE)
  const isNew = (where: string): boolean => where === 'new'
  assert.deepEqual([moved + already, failures], [samples.length, []])
  assert.equal(already, before.filter(isNew).length)
  assert.ok(samples.map(sample => whereIs(directory, sample)).every(isNew))
  assert.deepEqual(
    namesIn(directory),
    samples.map(({ name }) => basename(name)).toSorted((a, b) => (a < b ? -1 : 1)),
  )
  return already
}

test('a run that is killed at any of its steps loses nothing, and resumes', async t => {
  const template = folder(t)
  // An empty stream has the same steps; the long form kills among all of them.
  const samples = IS_LONG ? SAMPLES : SAMPLES.filter(({ size }) => size > 0)
  await fill(template, samples)
  const copy = (name: string): string => {
    const directory = join(folder(t), name)
    cpSync(template, directory, { recursive: true })
    return directory
  }
  const steps = await runChild([copy('whole')], null)
  assert.equal(steps.at(-1), `moved ${samples.length} failed 0`)
  const done = await Promise.all(
    steps.slice(0, -1).map(async (_, index) => {
      const directory = copy(String(index))
      const said = await runChild([directory, String(index + 1)], null)
      assert.equal(said.length, index + 1)
      return finish(directory, samples)
    }),
  )
  // Killed in its first file, nothing was moved; killed after its last, everything was.
  assert.deepEqual([done[0], done.at(-1)], [0, samples.length])
  t.diagnostic(`killed at ${done.length} points, ${done.join(' ')} moved before`)
})

test('a run that is killed again and again at random comes to its end', async t => {
  const samples: readonly Sample[] = Array.from({ length: FILES }, (_, index) => ({
    name: `${index % 7}/${index}`,
    form: index % 3 === 0 ? 'blob' : 'stream',
    policy: index % 2 === 0 ? 'mrEnclave' : 'mrSigner',
    size: index * 30_011,
  }))
  for (let round = 0; round < ROUNDS; round++) {
    const directory = folder(t)
    await fill(directory, samples)
    let kills = 0
    for (let last = ''; !last.startsWith('moved'); kills++) {
      last = (await runChild([directory], Math.random() * (MAX_LIFE_MS + kills * MORE_MS))).at(-1) ?? ''
      for (const sample of samples) whereIs(directory, sample)
      assert.ok(
        readdirSync(directory, { recursive: true }).filter(name => name.includes('.casemate-')).length <= 1,
      )
    }
    assert.equal(await finish(directory, samples), samples.length)
    t.diagnostic(`${kills} runs`)
  }
})

// What tests share is made once, however many need it at once, and never taken half-made.
import assert from 'node:assert/strict'
import { execFile, spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { promisify } from 'node:util'
import { madeOnce } from './made-once.ts'

const CHILD = join(import.meta.dirname, 'made-once-child.ts')

function folder(t: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), 'casemate-made-'))
  t.after(() => rmSync(path, { recursive: true }))
  return path
}

/** Makes bread of flour, or of what is given, and counts how often. */
function bakery(directory: string) {
  const baked: string[] = []
  const bread = async (...ingredients: string[]): Promise<string> => {
    const make = (): Uint8Array => {
      baked.push(ingredients.join('+'))
      return Buffer.from(`bread of ${ingredients.join('+')}`)
    }
    return Buffer.from(await madeOnce({ ingredients, make, directory })).toString()
  }
  return { baked, bread }
}

test('it is made once, and again for other ingredients', async t => {
  const { baked, bread } = bakery(folder(t))
  assert.equal(await bread('rye'), 'bread of rye')
  assert.equal(await bread('rye'), 'bread of rye')
  assert.equal(await bread('wheat'), 'bread of wheat')
  await bread('r', 'ye')
  assert.deepEqual(baked, ['rye', 'wheat', 'r+ye'])
})

test('of processes that need it at once, one makes it and nothing is left but the thing', async t => {
  const directory = folder(t)
  const tally = join(folder(t), 'tally')
  const run = (): Promise<{ stdout: string }> =>
    promisify(execFile)(process.execPath, [CHILD, directory, tally], { encoding: 'utf8' })
  const ran = await Promise.all([run(), run(), run()])
  assert.deepEqual(
    ran.map(({ stdout }) => stdout),
    ['bread', 'bread', 'bread'],
  )
  assert.equal(readFileSync(tally, 'utf8'), 'made ')
  assert.equal(readdirSync(directory).length, 1)
})

test('what is cut off or changed on the disk is made anew', async t => {
  const directory = folder(t)
  const { baked, bread } = bakery(directory)
  await bread('rye')
  const path = join(directory, readdirSync(directory)[0]!)
  const whole = readFileSync(path)
  const changed = Uint8Array.from(whole)
  changed[changed.length - 1]! ^= 1
  for (const content of [whole.subarray(0, -1), whole.subarray(0, 10), new Uint8Array(), changed]) {
    writeFileSync(path, content)
    assert.equal(await bread('rye'), 'bread of rye')
    assert.deepEqual(readFileSync(path), whole)
  }
  assert.equal(baked.length, 5)
})

test('a maker that died, or failed, holds nobody up', async t => {
  const directory = folder(t)
  const { baked, bread } = bakery(directory)
  await bread('rye')
  const path = join(directory, readdirSync(directory)[0]!)
  rmSync(path)
  const { pid } = spawnSync(process.execPath, ['--version'])
  writeFileSync(`${path}.maker`, String(pid))
  assert.equal(await bread('rye'), 'bread of rye')
  assert.equal(baked.length, 2)
  const make = (): never => {
    throw new TypeError('burnt')
  }
  await assert.rejects(madeOnce({ ingredients: ['wheat'], make, directory }), { message: 'burnt' })
  assert.equal(await bread('wheat'), 'bread of wheat')
  assert.equal(readdirSync(directory).length, 2)
})

// The compiler is optional: without it, or with another version, nothing is built, and it is said what to install.
import assert from 'node:assert/strict'
import { registerHooks } from 'node:module'
import { type TestContext, test } from 'node:test'
import manifest from '../../package.json' with { type: 'json' }
import { build } from './source.ts'

const SOURCE = { 'hello.ts': 'export function hello(input: Uint8Array): Uint8Array { return input }' }
const PINNED = manifest.optionalDependencies.assemblyscript
const WANTED = { code: 'compiler-unavailable', expected: `assemblyscript ${PINNED}` }

/** For the rest of the test: what importing the compiler gives. A name of its own each time, as modules are kept. */
function replaceCompiler(t: TestContext, resolve: () => { url: string; shortCircuit: boolean }): void {
  const hooks = registerHooks({
    resolve: (specifier, context, next) =>
      specifier === 'assemblyscript/asc' ? resolve() : next(specifier, context),
  })
  t.after(() => hooks.deregister())
}

test('without the compiler the hint names the version that gives the same bytes', async t => {
  replaceCompiler(t, () => {
    throw Object.assign(new Error('Cannot find package'), { code: 'ERR_MODULE_NOT_FOUND' })
  })
  await assert.rejects(build(t, SOURCE), {
    ...WANTED,
    got: 'none',
    hint: `it is optional: npm install assemblyscript@${PINNED}`,
  })
})

test('another version would give other bytes, and is refused', async t => {
  const code = encodeURIComponent(`export const version = '0.27.0'; export const main = () => ({})`)
  replaceCompiler(t, () => ({ url: `data:text/javascript,${code}`, shortCircuit: true }))
  await assert.rejects(build(t, SOURCE), { ...WANTED, got: '0.27.0' })
})

test('a compiler that is there and fails to load is no missing one', async t => {
  const code = encodeURIComponent(`throw new RangeError('broken')`)
  replaceCompiler(t, () => ({ url: `data:text/javascript,${code}`, shortCircuit: true }))
  await assert.rejects(build(t, SOURCE), RangeError)
})

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

test('the client is one file for a browser, with nothing of Node in it', async () => {
  const { outputFiles, metafile } = await build({
    entryPoints: [fileURLToPath(new URL('../src/index.ts', import.meta.url))],
    bundle: true,
    write: false,
    metafile: true,
    format: 'esm',
    platform: 'browser',
    logLevel: 'silent',
  })
  const [bundle] = outputFiles
  assert.ok(bundle !== undefined)
  const externals = Object.values(metafile.outputs).flatMap(output => output.imports)
  assert.deepEqual(externals, [])
  assert.ok(Object.keys(metafile.inputs).every(path => !path.includes('/src/node/')))
  // It loads and works where only web APIs are asked for.
  const url = `data:text/javascript;base64,${Buffer.from(bundle.contents).toString('base64')}`
  const client = (await import(url)) as typeof import('../src/index.ts')
  const key = await client.generateTeeKey('P-256')
  assert.equal(key.publicJwk.kty, 'EC')
})

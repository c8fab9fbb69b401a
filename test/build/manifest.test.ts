// The manifests of what is published are derived from those of the sources.
import assert from 'node:assert/strict'
import { existsSync, globSync, readFileSync } from 'node:fs'
import { join, relative, resolve, sep } from 'node:path'
import { test } from 'node:test'
import { settleModule } from '../../scripts/build/compile.ts'
import { builtManifest } from '../../scripts/build/manifest.ts'
import { roomsOf } from '../../scripts/build/rooms.ts'

const ROOMS = roomsOf(resolve(import.meta.dirname, '../..'))
const SOURCE = { name: '@casemate/one', version: '1.2.3', private: true, type: 'module' }

test('an export is its JavaScript with its types, beside the manifest itself', () => {
  assert.deepEqual(builtManifest({ ...SOURCE, exports: { './node': './src/node/index.ts' } })['exports'], {
    './node': { types: './lib/node/index.d.ts', default: './lib/node/index.js' },
    './package.json': './package.json',
  })
})

test('the conditions of an import stay as they are', () => {
  const imports = { '#crypto': { node: './src/node/crypto.ts', default: './src/web/crypto.ts' } }
  assert.deepEqual(builtManifest({ ...SOURCE, imports })['imports'], {
    '#crypto': { node: './lib/node/crypto.js', default: './lib/web/crypto.js' },
  })
})

test('what is built may be published, and holds what the source names besides its code', () => {
  assert.deepEqual(builtManifest({ ...SOURCE, files: ['schema'] }), {
    name: '@casemate/one',
    version: '1.2.3',
    type: 'module',
    files: ['lib', 'src', 'schema'],
  })
})

test('a field that nobody decided about is no guess', () => {
  assert.throws(() => builtManifest({ ...SOURCE, scripts: { postinstall: 'x' } }), /no rule for scripts/)
})

test('no source can be published by mistake', () => {
  assert.deepEqual(
    ROOMS.filter(({ manifest }) => manifest.private !== true).map(({ name }) => name),
    [],
  )
})

test('packages have one version, and name each other by exactly that', () => {
  const [{ manifest: first } = { manifest: SOURCE }] = ROOMS
  for (const { name, manifest } of ROOMS) {
    assert.equal(manifest.version, first.version, name)
    const sisters = Object.entries(manifest.dependencies ?? {}).filter(([name]) =>
      name.startsWith('@casemate/'),
    )
    for (const [sister, version] of sisters) assert.equal(version, manifest.version, `${name}: ${sister}`)
  }
})

test('what the compiler leaves as it was names files that are there, in as many characters', () => {
  const types = `export type A = import("./a.ts").A;\nimport type { B } from '../b.ts';\n`
  assert.equal(settleModule(types), types.replaceAll('.ts', '.js'))
  const worker = `new Worker(new URL('./worker.ts', import.meta.url), {})`
  assert.equal(settleModule(worker), worker.replace('.ts', '.js'))
  const elsewhere = `new URL('../../assembly/layers.ts', import.meta.url); import x from 'some/thing.ts'`
  assert.equal(settleModule(elsewhere), elsewhere)
})

test('a package holds every file that its code names', () => {
  for (const { name, folder, manifest } of ROOMS) {
    const packed = ['src', 'package.json', ...(manifest.files ?? [])]
    for (const file of globSync(['src/**/*.ts', 'bin/**/*.js'], { cwd: folder })) {
      const text = readFileSync(join(folder, file), 'utf8')
      for (const [, named = ''] of text.matchAll(/new URL\('([^']+)', import\.meta\.url\)/g)) {
        const path = relative(folder, join(folder, file, '..', named))
        assert.ok(packed.includes(path.split(sep)[0] ?? ''), `packages/${name}/${file} names ${path}`)
        assert.ok(existsSync(join(folder, path)), `packages/${name}/${file} names ${path}`)
      }
    }
  }
})

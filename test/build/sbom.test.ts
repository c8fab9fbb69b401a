// What a package brings, from the lock file: each version once, where Node would find it, required or optional.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sbomOf } from '../../scripts/build/sbom.ts'

const INTEGRITY = `sha512-${Buffer.alloc(64, 1).toString('base64')}`
const LOCK = {
  'packages/one': {
    name: '@casemate/one',
    version: '0.1.0',
    license: 'Apache-2.0',
    dependencies: { '@casemate/two': '0.1.0', a: '1.0.0' },
    optionalDependencies: { big: '1.0.0' },
  },
  'packages/two': { name: '@casemate/two', version: '0.1.0', dependencies: { b: '^2.0.0' } },
  'node_modules/@casemate/two': { resolved: 'packages/two', link: true },
  'node_modules/a': {
    version: '1.0.0',
    integrity: INTEGRITY,
    license: 'MIT',
    dependencies: { b: '^1.0.0', c: '1' },
  },
  'node_modules/a/node_modules/b': { version: '1.5.0', integrity: INTEGRITY },
  'node_modules/b': { version: '2.5.0', integrity: INTEGRITY },
  'node_modules/c': { version: '1.0.0', peerDependencies: { absent: '*' } },
  'node_modules/big': { version: '1.0.0', dependencies: { c: '1', d: '1' } },
  'node_modules/big/node_modules/c': { version: '1.0.0' },
  'node_modules/d': { version: '1.0.0' },
  'node_modules/tool': { version: '9.0.0' },
}
const ROOM = { name: 'one', folder: '', manifest: { name: '@casemate/one', version: '0.1.0' } }

interface Sbom {
  readonly serialNumber: string
  readonly components: readonly { readonly purl: string; readonly scope: string; readonly hashes?: unknown }[]
  readonly dependencies: readonly { readonly ref: string; readonly dependsOn: readonly string[] }[]
}

function sbom(lock = LOCK): Sbom {
  return sbomOf({ room: ROOM, lock, tarballs: new Map([['@casemate/two', 'ab']]) }) as unknown as Sbom
}

test('all that is brought is there once, and nothing else', () => {
  assert.deepEqual(
    sbom().components.map(({ purl, scope }) => `${purl} ${scope}`),
    [
      'pkg:npm/%40casemate/two@0.1.0 required',
      'pkg:npm/a@1.0.0 required',
      'pkg:npm/b@1.5.0 required',
      'pkg:npm/b@2.5.0 required',
      'pkg:npm/big@1.0.0 optional',
      'pkg:npm/c@1.0.0 required',
      'pkg:npm/d@1.0.0 optional',
    ],
  )
})

test('a package is found below the one that needs it before it is found beside it', () => {
  const of = (ref: string) => sbom().dependencies.find(one => one.ref === ref)?.dependsOn
  assert.deepEqual(of('pkg:npm/a@1.0.0'), ['pkg:npm/b@1.5.0', 'pkg:npm/c@1.0.0'])
  assert.deepEqual(of('pkg:npm/%40casemate/two@0.1.0'), ['pkg:npm/b@2.5.0'])
})

test('hashes are those of the lock file, and of our own tarballs', () => {
  const [two, a] = sbom().components
  assert.deepEqual(two?.hashes, [{ alg: 'SHA-512', content: 'ab' }])
  assert.deepEqual(a?.hashes, [{ alg: 'SHA-512', content: '01'.repeat(64) }])
})

test('the number of a document is that of its content', () => {
  assert.equal(sbom().serialNumber, sbom().serialNumber)
  assert.match(
    sbom().serialNumber,
    /^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
  )
  const other = { ...LOCK, 'node_modules/d': { version: '1.0.1' } }
  assert.notEqual(sbom(other).serialNumber, sbom().serialNumber)
})

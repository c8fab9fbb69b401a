// Proves the house: who may import whom, read from the imports and from the manifests.
import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { describe, test } from 'node:test'
import { circlesOf, filesOf, foldersOf, importsOf } from './import-graph.ts'
import { MAY_IMPORT } from './rooms.ts'

/** Packages whose src, but for src/node, runs in browsers as well. */
const PORTABLE = ['evidence', 'appraisal', 'ledger', 'client']

function ours(specifier: string): string | null {
  return /^@casemate\/([a-z]+)/.exec(specifier)?.[1] ?? null
}

test('every package of the house is on the plan', () => {
  const rooms = globSync('packages/*/package.json').map(path => path.split(/[\\/]/)[1]!)
  assert.deepEqual(rooms.toSorted(), Object.keys(MAY_IMPORT).toSorted())
})

for (const [room, allowed] of Object.entries(MAY_IMPORT)) {
  const manifest = JSON.parse(readFileSync(`packages/${room}/package.json`, 'utf8'))
  const declared = Object.keys({ ...manifest.dependencies, ...manifest.optionalDependencies })
  const sources = globSync(`packages/${room}/src/**/*.ts`)

  test(`${room} declares only the rooms below it`, () => {
    for (const dependency of declared.map(ours).filter(name => name !== null)) {
      assert.ok(allowed.includes(dependency), `${room} must not depend on ${dependency}`)
    }
  })

  test(`${room} imports only what it declares`, () => {
    for (const file of sources) {
      for (const specifier of importsOf(file)) {
        if (specifier.startsWith('node:') || specifier.startsWith('#')) continue
        if (specifier.startsWith('.')) {
          const reached = new URL(specifier, `file:///${file}`).pathname
          assert.ok(reached.startsWith(`/packages/${room}/`), `${file} reaches out of its room: ${specifier}`)
          continue
        }
        const name = specifier
          .split('/')
          .slice(0, specifier.startsWith('@') ? 2 : 1)
          .join('/')
        assert.ok(
          declared.includes(name),
          `${file} imports ${name}, which ${room}/package.json does not declare`,
        )
      }
    }
  })
}

for (const room of Object.keys(MAY_IMPORT)) {
  test(`${room} declares only what it imports`, () => {
    const manifest = JSON.parse(readFileSync(`packages/${room}/package.json`, 'utf8'))
    const imported = globSync(`packages/${room}/src/**/*.ts`).flatMap(importsOf)
    for (const name of Object.keys({ ...manifest.dependencies, ...manifest.optionalDependencies })) {
      assert.ok(
        imported.some(specifier => specifier === name || specifier.startsWith(`${name}/`)),
        `${room} declares ${name} and does not import it`,
      )
    }
  })
}

for (const room of PORTABLE) {
  test(`${room} keeps Node behind src/node`, () => {
    for (const file of globSync(`packages/${room}/src/**/*.ts`)) {
      if (file.includes(`/src/node/`)) continue
      for (const specifier of importsOf(file)) {
        assert.ok(!specifier.startsWith('node:'), `${file} imports ${specifier}`)
        assert.ok(!/(^|\/)node\//.test(specifier), `${file} imports ${specifier}`)
      }
    }
  })
}

describe('imports', () => {
  for (const root of [...globSync('packages/*/src').toSorted(), 'examples', 'bench', 'test']) {
    test(`${root} has no circle of files`, () => {
      const files = filesOf(root)
      assert.ok(files.size > 0)
      assert.deepEqual(circlesOf(files), [])
    })
  }

  for (const room of Object.keys(MAY_IMPORT)) {
    test(`${room} has no circle of folders`, () => {
      assert.deepEqual(circlesOf(foldersOf(filesOf(`packages/${room}/src`))), [])
    })
  }

  test('a circle is found whatever its length, and by whichever node it is entered', () => {
    const graph = (edges: string) =>
      new Map(edges.split(' ').map(edge => [edge[0]!, new Set(edge.slice(1))] as const))
    assert.deepEqual(circlesOf(graph('abc bc c')), [])
    assert.deepEqual(circlesOf(graph('aa')), [['a']])
    assert.deepEqual(circlesOf(graph('ab bc ca')), [['a', 'b', 'c']])
    assert.deepEqual(circlesOf(graph('xa ab bcd cb db')), [['b', 'c', 'd']])
    assert.deepEqual(circlesOf(graph('ab bac cd dc')), [
      ['c', 'd'],
      ['a', 'b'],
    ])
  })

  test('a folder is its first directory, and a file of the root is itself', () => {
    const files = new Map([
      ['main.ts', new Set(['line/parse.ts'])],
      ['line/parse.ts', new Set(['line/deep/word.ts', 'command.ts'])],
      ['line/deep/word.ts', new Set<string>()],
      ['command.ts', new Set<string>()],
    ])
    assert.deepEqual(
      [...foldersOf(files)].map(([folder, reached]) => [folder, ...reached]),
      [['main.ts', 'line'], ['line', 'command.ts'], ['command.ts']],
    )
  })
})

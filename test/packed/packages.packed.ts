// The tarballs themselves: judged by publint and are-the-types-wrong, and nothing in them that nobody asked for.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { tarballOf } from '../../scripts/build/pack.ts'
import { DIST, filesBelow, ROOMS, sharedProject } from './project.ts'
import { importTool, installTools } from './tools.ts'

interface Publint {
  publint(
    options: object,
  ): Promise<{ messages: readonly { code: string; type: string; path: readonly string[] }[] }>
}
interface TypesWrong {
  createPackageFromTarballData(bytes: Uint8Array): unknown
  checkPackage(of: unknown): Promise<{ types: unknown; problems?: readonly TypesProblem[] }>
}
interface TypesProblem {
  readonly kind: string
  readonly resolutionKind?: string
}

const { directory, skip } = await sharedProject()
const noTools = installTools()
/** What they hold is ES modules alone: older ways to load them are not offered. */
const NOT_OFFERED = ['node10', 'node16-cjs']

for (const room of ROOMS) {
  const { name } = room.manifest
  test(`${name} has nothing that publint finds`, { skip: noTools }, async () => {
    const linter = await importTool<Publint>('publint')
    const { messages } = await linter.publint({
      pack: { tarball: bytesOf(tarballOf(room, DIST)) },
      strict: true,
    })
    assert.deepEqual(messages, [])
  })

  test(`${name} has nothing that are-the-types-wrong finds`, {
    skip: noTools || room.manifest.exports === undefined,
  }, async () => {
    const attw = await importTool<TypesWrong>('@arethetypeswrong/core')
    const packed = attw.createPackageFromTarballData(readFileSync(tarballOf(room, DIST)))
    const { types, problems = [] } = await attw.checkPackage(packed)
    assert.ok(types, 'it has types')
    assert.deepEqual(
      problems.filter(({ resolutionKind = '' }) => !NOT_OFFERED.includes(resolutionKind)),
      [],
    )
  })

  test(`${name} holds its code, what its manifest names, and no tests`, { skip }, () => {
    const place = join(directory, 'node_modules', name)
    const files = filesBelow(place)
    const known = ['LICENSE', 'README.md', 'package.json', 'lib', 'src', ...(room.manifest.files ?? [])]
    assert.deepEqual(
      files.filter(file => !known.includes(file.split('/')[0] ?? '')),
      [],
    )
    assert.deepEqual(
      files.filter(file => /(^|\/)(tests?|bench|fixtures)\/|\.test\./.test(file)),
      [],
    )
    const scripts = files.filter(file => file.endsWith('.js') || file.endsWith('.d.ts'))
    for (const file of scripts)
      assert.doesNotMatch(
        readFileSync(join(place, file), 'utf8'),
        /(from|import\() ?['"]\.[^'"]*\.ts['"]/,
        file,
      )
    for (const file of files.filter(file => file.endsWith('.map'))) {
      const { sources, sourcesContent } = JSON.parse(readFileSync(join(place, file), 'utf8'))
      for (const [index, source] of sources.entries()) {
        // Some packages of others refer to sources that they do not hold.
        if (source.includes('/node_modules/')) continue
        const isThere =
          typeof sourcesContent?.[index] === 'string' || files.includes(join(file, '..', source))
        assert.ok(isThere, `${file}: ${source}`)
      }
    }
  })
}

function bytesOf(path: string): ArrayBuffer {
  return new Uint8Array(readFileSync(path)).buffer
}

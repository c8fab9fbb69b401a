// Two builds of the same sources, in two places, give the same bytes; and what says what is in them is CycloneDX.
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { cpSync, existsSync, mkdirSync, readFileSync, symlinkSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { test } from 'node:test'
import { build } from '../../scripts/build/build.ts'
import { tarballOf } from '../../scripts/build/pack.ts'
import { sbomFileOf } from '../../scripts/build/sbom.ts'
import { DIST, filesBelow, ROOMS, ROOT, temporaryDirectory } from './project.ts'
import { importTool, installTools, toolFile } from './tools.ts'

const SOURCES = [
  'packages',
  'LICENSE',
  'package.json',
  'package-lock.json',
  'tsconfig.base.json',
  'tsconfig.json',
  'tsconfig.build.json',
]
const noTools = installTools()

/** By their names. */
function digestsOf(folder: string): ReadonlyMap<string, string> {
  return new Map(
    filesBelow(folder)
      .filter(file => /\.(tgz|json)$/.test(file) && !file.startsWith('packages/'))
      .map(file => [
        file,
        createHash('sha256')
          .update(readFileSync(join(folder, file)))
          .digest('hex'),
      ]),
  )
}

/** Tools stay where they are; what comes into a build is in its own place, as it is in any checkout. */
function installWhatIsBundled(place: string): void {
  const { packages } = JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8')) as {
    packages: Record<
      string,
      { dev?: boolean; optional?: boolean; devOptional?: boolean; link?: boolean; resolved?: string }
    >
  }
  for (const [path, { dev, optional, devOptional, link, resolved = '' }] of Object.entries(packages)) {
    if (!path.startsWith('node_modules/') || !existsSync(join(ROOT, path)) || existsSync(join(place, path)))
      continue
    mkdirSync(dirname(join(place, path)), { recursive: true })
    if (link === true) symlinkSync(join(place, resolved), join(place, path))
    else if (dev || optional || devOptional) symlinkSync(join(ROOT, path), join(place, path))
    else cpSync(join(ROOT, path), join(place, path), { recursive: true })
  }
}

test('two builds in two places give the same bytes', async () => {
  const place = join(temporaryDirectory(), 'another', 'place')
  for (const name of SOURCES) {
    cpSync(join(ROOT, name), join(place, name), {
      recursive: true,
      filter: source => !/\/node_modules(\/|$)/.test(source.slice(ROOT.length)),
    })
  }
  installWhatIsBundled(place)
  const out = join(place, 'dist')
  await build({ root: place, out })
  const [here, there] = [digestsOf(DIST), digestsOf(out)]
  assert.equal(here.size, 2 * ROOMS.length)
  assert.deepEqual(there, here)
})

interface Ajv {
  addSchema(schema: object, name: string): unknown
  compile(schema: object): ((document: unknown) => boolean) & { readonly errors?: unknown }
}

/** CycloneDX's own schema, which refers to three others by the names of their files. */
async function sbomValidator() {
  const { default: Validator } = await importTool<{ default: new (options: object) => Ajv }>('ajv')
  const read = (name: string): object =>
    JSON.parse(readFileSync(toolFile(`@cyclonedx/cyclonedx-library/res/schema/${name}`), 'utf8'))
  const formats = { 'date-time': true, 'idn-email': true, 'iri-reference': true, uri: true }
  const ajv = new Validator({ strict: false, formats })
  for (const name of ['spdx', 'jsf-0.82', 'cryptography-defs']) {
    ajv.addSchema(
      read(`${name}.SNAPSHOT.schema.json`),
      `http://cyclonedx.org/schema/${name}.SNAPSHOT.schema.json`,
    )
  }
  return ajv.compile(read('bom-1.6.SNAPSHOT.schema.json'))
}

test('what says what is in a package is valid CycloneDX 1.6', { skip: noTools }, async () => {
  const isValid = await sbomValidator()
  for (const room of ROOMS) {
    const sbom: Record<string, unknown> = JSON.parse(readFileSync(sbomFileOf(room, DIST), 'utf8'))
    assert.ok(isValid(sbom), `${room.name}: ${JSON.stringify(isValid.errors)}`)
    assert.ok(!isValid({ ...sbom, components: [{ type: 'thing', name: 'x' }] }), 'the schema is in force')
  }
})

test('a package is described with all that it brings, and with the hash of its tarball', () => {
  for (const room of ROOMS) {
    const { metadata, components, dependencies } = JSON.parse(readFileSync(sbomFileOf(room, DIST), 'utf8'))
    const { component } = metadata
    const tarball = readFileSync(tarballOf(room, DIST))
    const sha512 = createHash('sha512').update(tarball).digest('hex')
    assert.deepEqual(component.hashes, [{ alg: 'SHA-512', content: sha512 }], basename(tarballOf(room, DIST)))
    const described = new Set([component, ...components].map(one => one['bom-ref']))
    const { dependencies: direct = {}, optionalDependencies: optional = {} } = room.manifest as Record<
      string,
      Record<string, string>
    >
    for (const [name, version] of Object.entries({ ...direct, ...optional })) {
      assert.ok(described.has(`pkg:npm/${name.replace('@', '%40')}@${version}`), `${room.name}: ${name}`)
    }
    for (const { ref, dependsOn } of dependencies) {
      for (const needed of [ref, ...dependsOn]) assert.ok(described.has(needed), `${room.name}: ${needed}`)
    }
    for (const one of components) assert.ok(one.hashes?.length === 1 && one.licenses?.length === 1, one.purl)
  }
})

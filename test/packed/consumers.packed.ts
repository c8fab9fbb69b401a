// Programs of others in TypeScript: what the packages declare is complete and right for Node, for bundlers and for browsers,
// with every declaration checked (`skipLibCheck` off).
import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { ROOMS, runIn, sharedProject, TOOLS } from './project.ts'

const { directory, skip } = await sharedProject()
const PORTABLE = ['evidence', 'appraisal', 'ledger', 'client']

/** Every way in of a package: `@casemate/evidence`, `@casemate/evidence/node`. */
function waysIn(names: readonly string[]): readonly string[] {
  return ROOMS.filter(({ name }) => names.includes(name)).flatMap(({ manifest }) =>
    Object.keys(manifest.exports ?? {}).map(path => join(manifest.name, path)),
  )
}

const USE = `
import { parse, readEndorsements, type Verified, VENDOR_ANCHORS, verify } from '@casemate/evidence'
export async function check(quote: Uint8Array): Promise<string> {
  const now: Date = new Date()
  const { claims }: Verified = await verify(parse(quote), readEndorsements([]), {
    now, anchors: VENDOR_ANCHORS, minTcbEvaluationDataNumber: 'any',
  })
  return claims.kind === 'tdx' ? claims.tcbStatus ?? 'none' : claims.kind
}
`
/** What a slip of a caller is told at once. */
const MISUSE = USE.replace("minTcbEvaluationDataNumber: 'any',", '').replace(
  'claims.tcbStatus',
  'claims.tcbStatu',
)

interface Program {
  readonly folder: string
  readonly source: string
  readonly options: Readonly<Record<string, unknown>>
}

async function compile({ folder, source, options }: Program) {
  const place = join(directory, folder)
  mkdirSync(place, { recursive: true })
  writeFileSync(join(place, 'program.ts'), source)
  const compilerOptions = {
    strict: true,
    noEmit: true,
    skipLibCheck: false,
    target: 'es2024',
    exactOptionalPropertyTypes: true,
    ...options,
  }
  writeFileSync(join(place, 'tsconfig.json'), JSON.stringify({ compilerOptions, include: ['program.ts'] }))
  return runIn(place, [join(TOOLS, 'tsc'), '-p', 'tsconfig.json'])
}

function importing(names: readonly string[]): string {
  return waysIn(names)
    .map((name, index) => `import * as m${index} from '${name}'\nexport { m${index} }\n`)
    .join('')
}

const IN_NODE = { module: 'nodenext', lib: ['es2024', 'esnext.typedarrays'], types: ['node'] }
const BUNDLED = { ...IN_NODE, module: 'esnext', moduleResolution: 'bundler' }
const IN_BROWSERS = { ...BUNDLED, lib: ['es2024', 'dom'], types: [], customConditions: ['browser'] }
const ALL = ROOMS.filter(({ manifest }) => manifest.exports !== undefined).map(({ name }) => name)

for (const [folder, options, names] of [
  ['in-node', IN_NODE, ALL],
  ['bundled', BUNDLED, ALL],
  ['in-browsers', IN_BROWSERS, PORTABLE],
] as const) {
  test(`every declaration compiles ${folder.replace('-', ' ')}`, { skip }, async () => {
    const source =
      folder === 'in-browsers' ? importing(names).replaceAll(/^.*\/node'\n.*\n/gm, '') : importing(names)
    const { code, stdout } = await compile({ folder, source: source + USE, options })
    assert.equal(stdout, '')
    assert.equal(code, 0)
  })
}

test('a demand that is forgotten and a claim that is none do not compile', { skip }, async () => {
  const { code, stdout } = await compile({ folder: 'misuse', source: MISUSE, options: IN_NODE })
  assert.notEqual(code, 0)
  assert.match(stdout, /TS2741.*minTcbEvaluationDataNumber/)
  assert.match(stdout, /TS2551.*tcbStatu/)
})

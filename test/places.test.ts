// How many places an addition touches, read from the sources: a kind of evidence, a route, a part of the store, a command.
// A kind is named in its own folder and in one table of each package; whoever names it elsewhere has to give a reason here.
import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { matchesGlob } from 'node:path'
import { test } from 'node:test'
import { KINDS } from '@casemate/evidence'

/** The tables, each with the folders of kinds beside it. */
const KIND_TABLES: Readonly<Record<string, readonly string[]>> = {
  'evidence/src/kinds.ts': ['evidence/src/{amd,intel,sample,documents}/**'],
  'appraisal/src/kinds/kinds.ts': ['appraisal/src/kinds/{sgx,tdx,snp,sample}/**'],
  'simulator/src/vendors.ts': ['simulator/src/{amd,intel}/**'],
  'enclave/src/attesting/kinds.ts': ['enclave/src/attesting/simulated-kinds/**'],
  'channel/src/evidence/tags.ts': [],
  'broker/src/kbs/kinds.ts': [],
  'cli/src/kinds/kinds.ts': ['cli/src/kinds/*'],
}

/** Files that name a kind for another reason than to tell kinds apart. */
const ALLOWED: Readonly<Record<string, string>> = {
  'evidence/src/forms/json-members.ts': 'what others call the members of their JSON',
  'enclave/src/attesting/gramine.ts': 'a driver, which gives one kind of evidence',
  'enclave/src/attesting/tsm-providers.ts': 'drivers, each of which gives one kind of evidence',
  'broker/src/kbs/body.ts': 'the type of a message of the protocol, which is no kind',
  'broker/src/store/migrations.ts': 'what stored documents looked like',
}

const NAMES = KINDS.join('|')
const NAMED = new RegExp(`(['"\`])(?:${NAMES})\\1|(?:^|[{,])\\s*(?:${NAMES}):|\\.(?:${NAMES})\\b`, 'm')

/** Without its comments, and without texts that are more than a name: what people read may speak of kinds. */
function codeOf(file: string): string {
  const code = readFileSync(file, 'utf8').replaceAll(/^\s*(?:\/\/|\/?\*).*$/gm, '')
  return code.replaceAll(/(['"])(?:(?!\1)[^\\\n]|\\.)*\1/g, text => (/^.\w+.$/.test(text) ? text : "''"))
}

const SOURCES = globSync('packages/*/src/**/*.ts').map(file =>
  file.replaceAll('\\', '/').slice('packages/'.length),
)
const naming = SOURCES.filter(file => NAMED.test(codeOf(`packages/${file}`)))

test('a kind of evidence is named in its folders and in one table of each package', () => {
  const homes = [...Object.keys(KIND_TABLES), ...Object.values(KIND_TABLES).flat(), ...Object.keys(ALLOWED)]
  assert.deepEqual(
    naming.filter(file => !homes.some(home => matchesGlob(file, home))),
    [],
  )
  const packages = Object.keys(KIND_TABLES).map(file => file.split('/')[0])
  assert.deepEqual(packages, [...new Set(packages)])
})

test('whoever may name a kind does', () => {
  assert.deepEqual(
    Object.keys(ALLOWED).filter(file => !naming.includes(file)),
    [],
  )
})

/** For one of each, all files outside of tests that know of it. */
function placesOf(pattern: RegExp, among: string): readonly string[] {
  return globSync(among)
    .map(file => file.replaceAll('\\', '/'))
    .filter(file => pattern.test(readFileSync(file, 'utf8')))
    .toSorted()
}

test('a route of /v1 touches four places, and five more to reach the command', () => {
  const route = /\btokenRoutes\b|\/v1\/tokens\b/
  assert.deepEqual(
    placesOf(route, '{packages/broker/{src/v1/*,test/http/access.test}.ts,docs/openapi.json}'),
    [
      'docs/openapi.json',
      'packages/broker/src/v1/routes.ts',
      'packages/broker/src/v1/tokens.ts',
      'packages/broker/test/http/access.test.ts',
    ],
  )
  const reached = /\bCreatedToken\b|\/v1\/tokens\b|\bTOKEN_COMMANDS\b/
  assert.deepEqual(placesOf(reached, 'packages/{client,cli}/src/**/*.ts'), [
    'packages/cli/src/commands.ts',
    'packages/cli/src/commands/token.ts',
    'packages/client/src/admin.ts',
    'packages/client/src/index.ts',
    'packages/client/src/wire.ts',
  ])
})

test('a part of the store touches four places', () => {
  assert.deepEqual(
    placesOf(/\bTokenStore\b|\bSqliteTokens\b|TABLE tokens\b/, 'packages/broker/src/store/**/*.ts'),
    [
      'packages/broker/src/store/migrations.ts',
      'packages/broker/src/store/sqlite-tokens.ts',
      'packages/broker/src/store/sqlite.ts',
      'packages/broker/src/store/store.ts',
    ],
  )
})

test('a command touches two places and a test', () => {
  assert.deepEqual(placesOf(/\bPLATFORM_COMMAND\b/, 'packages/cli/src/**/*.ts'), [
    'packages/cli/src/commands.ts',
    'packages/cli/src/commands/platform.ts',
  ])
})

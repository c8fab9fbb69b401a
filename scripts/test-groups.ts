// Test files that share a process, because loading what they test costs more than they do. Only such as leave a process
// as they found it: none that makes it trust an authority, that leaves a clock, a file, a listener for a signal or an
// answer owed behind, or that has a hook for every test.
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join, matchesGlob } from 'node:path'
import { pathToFileURL } from 'node:url'

const COMMAND = [
  'attesting/platform',
  'broker/{attestation-id,scheme}',
  'commands/*',
  'completion/*',
  'failure/*',
  'line/*',
  'log/{denial,entry-cells}',
  'sealing/meter',
  'serving/{settings,start-token}',
  'terminal/*',
  'tour/*',
  'verify/*',
  'workload/arguments',
  '{commands,disclosure,hints,hostile}',
].map(pattern => `packages/cli/test/${pattern}.test.ts`)

const GROUPS: Readonly<Record<string, readonly string[]>> = {
  agent: ['packages/agent/test/**/!(guest-api).test.ts'],
  appraisal: ['packages/appraisal/test/**'],
  broker: [
    'packages/broker/test/{config,kbs,release,secrets,v1}/**',
    'packages/broker/test/attestation/!(authority).test.ts',
  ],
  'broker-process': [
    'packages/broker/test/{lifecycle,store}/**',
    'packages/broker/test/http/!(hostile-requests|one-meaning).test.ts',
    'packages/broker/test/keys/!(key-file-draft).test.ts',
  ],
  channel: ['packages/channel/test/{enclave,evidence,session}/**'],
  command: COMMAND,
  enclave: [
    'packages/enclave/test/{abi,image}/**',
    'packages/enclave/test/attesting/!(hung).test.ts',
    'packages/enclave/test/building/!(no-compiler).test.ts',
    'packages/enclave/test/sealing/**/!(crash|stream).test.ts',
    'packages/enclave/test/running/**/!(failures|hostile|stress).test.ts',
  ],
  evidence: ['packages/evidence/test/**/!(authorities).test.ts'],
  examples: [
    'examples/genomics/test/!(run).test.ts',
    'examples/perception/test/!(keys).test.ts',
    'examples/stage/test/child.test.ts',
  ],
  ledger: ['packages/ledger/test/**'],
  repository: ['test/{*,build/{manifest,sbom}}.test.ts'],
  simulator: ['packages/simulator/test/**'],
}

/** Each test once: in one of the groups, by name, or alone. */
export function groupsOf(tests: readonly string[]) {
  const together = Object.entries(GROUPS).map(([name, patterns]) => ({
    name,
    files: tests.filter(file => patterns.some(pattern => matchesGlob(file, pattern))).toSorted(),
  }))
  const taken = new Set(together.flatMap(({ files }) => files))
  return { together, alone: tests.filter(file => !taken.has(file)) }
}

/** The files to run: those of a group through one file that imports them all. */
export function writeGroups(tests: readonly string[], root: string): string[] {
  const directory = join(root, '.cache', 'test-groups')
  rmSync(directory, { recursive: true, force: true })
  mkdirSync(directory, { recursive: true })
  const { together, alone } = groupsOf(tests)
  const written = together.map(({ name, files }) => {
    const path = join(directory, `${name}.test.mjs`)
    const imports = files.map(file => `import ${JSON.stringify(pathToFileURL(join(root, file)).href)}\n`)
    writeFileSync(path, imports.join(''))
    return path
  })
  return [...written, ...alone]
}

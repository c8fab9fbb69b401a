// The command as it is bundled: alone in a folder, where nothing else of this checkout is.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { cpSync, existsSync, globSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { after, before, test } from 'node:test'
import { cachedCommand } from '../../scripts/build/cached-command.ts'
import { byFiles, ENTRY, refuseDynamicCommonJs } from '../../scripts/build/command.ts'
import { roomsOf } from '../../scripts/build/rooms.ts'
import { commandManifest } from '../../scripts/build/stage-command.ts'

const root = resolve(import.meta.dirname, '../..')
let folder = ''

before(async () => {
  const built = dirname(process.env['BUILT_COMMAND'] ?? (await cachedCommand(root)))
  folder = mkdtempSync(join(tmpdir(), 'casemate-bundle-'))
  cpSync(built, folder, { recursive: true })
})
after(() => rmSync(folder, { recursive: true, force: true }))

function casemate(...args: readonly string[]) {
  const env = { PATH: process.env['PATH'], XDG_CACHE_HOME: join(folder, 'cache') }
  return spawnSync(process.execPath, [join(folder, ENTRY), ...args], { cwd: folder, env, encoding: 'utf8' })
}

test('the main job works where no package is installed', () => {
  const { status, stdout, stderr } = casemate('demo', '--json')
  assert.equal(status, 0, stderr)
  assert.equal(JSON.parse(stdout).steps.at(-1).proofs.at(-1).what, 'proof')
})

test('each address in the code leads to a file that is there', () => {
  const addresses = globSync('*.js', { cwd: folder }).flatMap(name => [
    ...readFileSync(join(folder, name), 'utf8').matchAll(/new URL\(["'](\.[^"']+)["'], import\.meta\.url\)/g),
  ])
  assert.ok(addresses.length >= 6)
  for (const [, address = ''] of addresses) assert.ok(existsSync(join(folder, address)), address)
})

test('the licence of each package that is inside is kept', () => {
  const licences = readFileSync(join(folder, 'LICENSES.txt'), 'utf8')
  const code = globSync('*.js', { cwd: folder }).map(name => readFileSync(join(folder, name), 'utf8'))
  // Where each module begins, esbuild says which one it is.
  const names = code.flatMap(text => [...text.matchAll(/^\s*\/\/ node_modules\/((?:@[^/]+\/)?[^/]+)\//gm)])
  const packages = new Set(names.map(([, name = '']) => name))
  assert.ok(packages.has('fastify') && packages.size > 20)
  for (const name of packages) assert.match(licences, new RegExp(`^${name} \\d+\\.\\d+\\.\\d+ \\(`, 'm'))
})

test('a process that is to share the command’s files is found by its name, or nothing is built', () => {
  const [desk, worker] = [{ out: 'broker-desk-process' }, { out: 'enclave-worker' }]
  assert.deepEqual(byFiles([worker, desk]), { sharing: [desk], alone: [worker] })
  assert.throws(() => byFiles([worker]), { message: 'not all of broker-desk-process are there' })
})

test('CommonJS that is imported dynamically is refused, as it would lose its names', () => {
  const importing = (kind: 'dynamic-import' | 'import-statement', format: 'cjs' | 'esm') => ({
    inputs: {
      'ours.ts': { bytes: 1, imports: [{ path: 'theirs.js', kind }], format: 'esm' as const },
      'theirs.js': { bytes: 1, imports: [], format },
    },
  })
  assert.throws(
    () => refuseDynamicCommonJs(importing('dynamic-import', 'cjs')),
    /ours\.ts imports theirs\.js/,
  )
  refuseDynamicCommonJs(importing('import-statement', 'cjs'))
  refuseDynamicCommonJs(importing('dynamic-import', 'esm'))
})

test('nothing is installed with it but the compiler of enclaves, if one wants it, in the version that is pinned', () => {
  const rooms = roomsOf(root)
  const manifest = commandManifest(rooms.find(({ name }) => name === 'cli')!.manifest, rooms)
  const pinned = JSON.parse(readFileSync(join(root, 'packages/enclave/package.json'), 'utf8'))
  assert.equal(manifest['dependencies'], undefined)
  assert.deepEqual(manifest['optionalDependencies'], pinned.optionalDependencies)
  assert.deepEqual(manifest['bin'], { casemate: 'lib/casemate.js' })
})

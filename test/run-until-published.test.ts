// How the command is run until it is published: the name `casemate` in the public registry is not ours, so that nothing
// that we print or write may make npx fetch it.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { globSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'

/** What people read, and what prints what they read. */
const READ = [
  '*.md',
  'docs/**/*.md',
  'examples/**/*.{md,ts}',
  'packages/*/*.md',
  'packages/*/{src,bin,examples,include}/**/*.{md,ts,js,h,rs,c}',
  'scripts/**/*.*',
  'bench/**/*.{md,ts}',
]

/** Commands of npm that fetch a package that is not here. */
const FETCHING =
  /\bnpx\b(?! --no casemate\b)|\bnpm (exec|x|create|init|install -g|i -g)\b|\b(pnpm|yarn) dlx\b|\bbunx\b/

/** Prose about npx itself, which no shell takes for a command. */
const PROSE = /(keeps|and|不让) npx (from fetching|may run|下载)|，npx 就可能运行/g

test('no document, hint or help names a command that could fetch a foreign casemate', () => {
  const files = globSync(READ, { exclude: path => path.includes('node_modules') })
  assert.ok(files.length > 300, `${files.length} files`)
  for (const file of files) {
    const lines = readFileSync(file, 'utf8').replaceAll(PROSE, '').split('\n')
    for (const [index, line] of lines.entries()) assert.doesNotMatch(line, FETCHING, `${file}:${index + 1}`)
  }
})

test('outside the checkout npx --no casemate fetches and runs nothing, whatever the registry has', async t => {
  const directory = mkdtempSync(join(tmpdir(), 'casemate-npx-'))
  t.after(() => rmSync(directory, { recursive: true, force: true }))
  const asked: string[] = []
  const registry = createServer((request, response) => {
    asked.push(request.url ?? '')
    response.setHeader('content-type', 'application/json').end(JSON.stringify(foreign(request.headers.host)))
  })
  await new Promise<void>(resolve => registry.listen(0, '127.0.0.1', resolve))
  t.after(() => registry.close())
  const { port } = registry.address() as AddressInfo
  const env = {
    PATH: process.env['PATH'],
    HOME: directory,
    npm_config_registry: `http://127.0.0.1:${port}/`,
    npm_config_audit: 'false',
    npm_config_update_notifier: 'false',
    npm_config_cache: join(directory, 'cache'),
  }
  const code = await new Promise(resolve => {
    execFile('npx', ['--no', 'casemate', 'help'], { cwd: directory, env }, error => resolve(error?.code ?? 0))
  })
  assert.equal(code, 1)
  assert.deepEqual(
    asked.filter(path => path.endsWith('.tgz')),
    [],
  )
})

/** A package of that name as a registry describes it. */
function foreign(host: string | undefined): object {
  const dist = { tarball: `http://${host}/casemate/-/casemate-9.9.9.tgz` }
  const version = { name: 'casemate', version: '9.9.9', bin: { casemate: 'evil.js' }, dist }
  return { name: 'casemate', 'dist-tags': { latest: '9.9.9' }, versions: { '9.9.9': version } }
}

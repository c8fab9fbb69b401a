// An empty project into which the packed packages are installed, as anyone would install them: what is tested here is
// what is in the tarballs, and nothing of this checkout but its tools.
import { execFile, spawn } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { promisify } from 'node:util'
import rootManifest from '../../package.json' with { type: 'json' }
import { tarballOf } from '../../scripts/build/pack.ts'
import { roomsOf } from '../../scripts/build/rooms.ts'

export const ROOT = resolve(import.meta.dirname, '../..')
/** Where `npm run build` put them. */
export const DIST = join(ROOT, 'dist')
export const ROOMS = roomsOf(ROOT)
export const TOOLS = join(ROOT, 'node_modules', '.bin')

/** Nobody answers there: a package of ours that npm would fetch from a registry would be somebody else's. */
const NO_REGISTRY = 'http://127.0.0.1:1/'
const UNREACHABLE = /\b(ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|EHOSTUNREACH)\b/
const run = promisify(execFile)

export const ENVIRONMENT: NodeJS.ProcessEnv = {
  ...process.env,
  PATH: `${dirname(process.execPath)}:${process.env['PATH'] ?? ''}`,
  npm_config_update_notifier: 'false',
  // That no registry is there is seen soon.
  npm_config_fetch_retries: '1',
  npm_config_fetch_retry_mintimeout: '500',
  npm_config_fetch_retry_maxtimeout: '1000',
}

/** A directory that is gone when all that uses it has ended. */
export function temporaryDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'casemate-packed-'))
  process.once('exit', () => rmSync(directory, { recursive: true, force: true }))
  return directory
}

export interface Project {
  readonly directory: string
  /** Why nothing could be installed; false where it was. */
  readonly skip: string | false
}

/** Installs all packages. `omit`: such as `optional`. */
export async function openProject(...omit: readonly string[]): Promise<Project> {
  const dependencies = Object.fromEntries(
    ROOMS.map(room => [room.manifest.name, `file:${tarballOf(room, DIST)}`]),
  )
  const manifest = {
    name: 'somebody',
    private: true,
    type: 'module',
    dependencies,
    devDependencies: { '@types/node': rootManifest.devDependencies['@types/node'] },
    // So that what they depend on among themselves is these files as well.
    overrides: Object.fromEntries(Object.keys(dependencies).map(name => [name, `$${name}`])),
  }
  return installProject(manifest, omit)
}

/** Installs what a manifest says. */
export async function installProject(manifest: object, omit: readonly string[] = []): Promise<Project> {
  const directory = temporaryDirectory()
  writeFileSync(join(directory, 'package.json'), JSON.stringify(manifest))
  writeFileSync(join(directory, '.npmrc'), `@casemate:registry=${NO_REGISTRY}\n`)
  const flags = ['install', '--no-audit', '--no-fund', '--prefer-offline', '--loglevel=error']
  try {
    await run('npm', [...flags, ...omit.map(kind => `--omit=${kind}`)], { cwd: directory, env: ENVIRONMENT })
    return { directory, skip: false }
  } catch (error) {
    return { directory, skip: whyUnreachable((error as { stderr?: string }).stderr ?? '') }
  }
}

/** @throws {Error} where what npm says is no matter of the network, or one of our own packages was asked for there */
export function whyUnreachable(stderr: string): string {
  if (!UNREACHABLE.test(stderr) || stderr.includes('@casemate') || stderr.includes(NO_REGISTRY)) {
    throw new Error(`npm failed: ${stderr}`)
  }
  const why = `NOTHING WAS INSTALLED, as the npm registry is not reachable: ${stderr.split('\n')[0]}`
  console.error(why)
  return why
}

let shared: Promise<Project> | null = null

/** One for all that only use it. */
export function sharedProject(): Promise<Project> {
  shared ??= openProject()
  return shared
}

export interface Answer {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

/** Runs it to its end in the project. */
export async function runIn(
  directory: string,
  [command = '', ...args]: readonly string[],
  input?: string,
): Promise<Answer> {
  const child = spawn(command, args, { cwd: directory, env: ENVIRONMENT, stdio: 'pipe' })
  child.stdin.on('error', () => undefined).end(input ?? '')
  let stdout = ''
  let stderr = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text))
  const code = await new Promise<number>((resolve, reject) => {
    child.once('error', reject).once('close', code => resolve(code ?? -1))
  })
  return { code, stdout, stderr }
}

/** Every file below, as `a/b.js`. */
export function filesBelow(directory: string): readonly string[] {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter(entry => entry.isFile())
    .map(entry => join(entry.parentPath, entry.name).slice(directory.length + 1))
    .toSorted()
}

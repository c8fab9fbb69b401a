// Tools that check packages, installed as their own lock file says: what runs Casemate, or works on it, does without them.
import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { ENVIRONMENT, ROOT, whyUnreachable } from './project.ts'

const SOURCE = join(import.meta.dirname, 'tools')
const PLACE = join(ROOT, 'node_modules', '.cache', 'packed-tools')

/** Why they are not there; false where they are. */
export function installTools(): string | false {
  mkdirSync(PLACE, { recursive: true })
  for (const name of ['package.json', 'package-lock.json']) cpSync(join(SOURCE, name), join(PLACE, name))
  const flags = ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--prefer-offline', '--loglevel=error']
  const { status, stderr } = spawnSync('npm', flags, { cwd: PLACE, env: ENVIRONMENT, encoding: 'utf8' })
  return status === 0 ? false : whyUnreachable(stderr)
}

export function importTool<Module>(name: string): Promise<Module> {
  return import(pathToFileURL(createRequire(join(PLACE, 'package.json')).resolve(name)).href)
}

/** A file of a tool. */
export function toolFile(path: string): string {
  return join(PLACE, 'node_modules', path)
}

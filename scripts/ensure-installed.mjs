// Installs the locked dependencies when they are missing or older than the lock file.
// Plain JavaScript without dependencies: it runs on whatever Node starts it, before anything is installed.
import { spawnSync } from 'node:child_process'
import { existsSync, statSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const lock = `${root}package-lock.json`
// npm rewrites this hidden copy of the lock file at the end of each successful install.
const installed = `${root}node_modules/.package-lock.json`

if (!existsSync(installed) || statSync(installed).mtimeMs < statSync(lock).mtimeMs) {
  console.log('Installing the locked dependencies (npm ci); this happens once and takes about half a minute.')
  const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm'
  const result = spawnSync(npm, ['ci', '--loglevel=error', '--no-audit', '--no-fund'], {
    cwd: root,
    stdio: 'inherit',
    shell: process.platform === 'win32',
  })
  if (result.status !== 0) {
    console.error(
      'casemate: install-failed: npm ci did not finish\nhint: see its message above; is the npm registry reachable?',
    )
    process.exit(result.status ?? 1)
  }
}

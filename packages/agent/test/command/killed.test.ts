// An agent that is killed (SIGKILL) at a moment of a start leaves no process of its command's group and no secret file.
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync, realpathSync } from 'node:fs'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { temporaryDirectory } from '../temporary-directory.ts'
import { appears, filesBelow, living, memoryBase, noneLeft, skip } from './left-behind.ts'

const CHILD = fileURLToPath(new URL('killed-child.ts', import.meta.url))

async function said(child: ChildProcess): Promise<string> {
  const [chunk] = (await once(child.stdout as NodeJS.ReadableStream, 'data')) as [Buffer]
  return chunk.toString()
}

describe('an agent that is killed', { skip, concurrency: 2 }, () => {
  const cwd = realpathSync(temporaryDirectory(after))
  for (const moment of ['before-guard', 'guarded', 'running']) {
    test(`leaves nothing when it is killed at the moment “${moment}”`, async () => {
      const [base, marker] = [memoryBase(), join(cwd, moment)]
      const child = spawn(process.execPath, [CHILD, moment, base, marker], {
        stdio: ['ignore', 'pipe', 'inherit'],
      })
      const [, group] = (await said(child)).split(' ').map(Number)
      if (moment === 'running') await appears(marker, child)
      assert.equal(filesBelow(base).length, 1)
      child.kill('SIGKILL')
      await noneLeft(seen => seen.group === group || seen.line.includes(base), moment)
      assert.equal(existsSync(marker), moment === 'running')
      assert.deepEqual(readdirSync(base), [])
    })
  }

  test('leaves nothing when it is killed before its guard could answer', async () => {
    const [base, marker] = [memoryBase(), join(cwd, 'told')]
    const child = spawn(process.execPath, [CHILD, 'told', base, marker], {
      stdio: ['pipe', 'pipe', 'inherit'],
    })
    const [, group] = (await said(child)).split(' ').map(Number)
    const guard = living().find(({ line }) => line.includes('casemate-watchdog') && line.includes(base))
    assert.ok(guard)
    process.kill(guard.pid, 'SIGSTOP')
    child.stdin?.write('go')
    await said(child)
    child.kill('SIGKILL')
    await once(child, 'exit')
    process.kill(guard.pid, 'SIGCONT')
    await noneLeft(seen => seen.group === group || seen.line.includes(base), 'told')
    assert.ok(!existsSync(marker))
    assert.deepEqual(readdirSync(base), [])
  })
})

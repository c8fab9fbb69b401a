// An agent that is killed (SIGKILL) at any moment leaves no process of its command's group and no secret file: at the
// moments of a start one by one, and at whatever moment chance takes. CASEMATE_LONG_TESTS=1 takes many more.
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  rmSync,
  statfsSync,
} from 'node:fs'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { BIN, type Serving, serving, temporaryDirectory } from '../run.ts'

const CHILD = fileURLToPath(new URL('killed-child.ts', import.meta.url))
const TMPFS = 0x01021994
const hasTmpfs = existsSync('/dev/shm') && statfsSync('/dev/shm').type === TMPFS
const skip = !(process.platform === 'linux' && hasTmpfs) && 'process groups in /proc, and a tmpfs at /dev/shm'
const LONG = process.env['CASEMATE_LONG_TESTS'] === '1'
const KILLS = LONG ? 150 : 4

/** What is waited for has to come; this is when a test that waits in vain gives up. */
const PATIENCE_MS = 60_000

/** Of a process that lives: its group, its directory and its command line. */
interface Seen {
  readonly pid: number
  readonly group: number
  readonly cwd: string
  readonly line: string
}

function living(): readonly Seen[] {
  return readdirSync('/proc').flatMap(name => {
    if (!/^\d+$/.test(name)) return []
    try {
      const stat = readFileSync(`/proc/${name}/stat`, 'latin1')
      const [state, , group] = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
      // Dead, and waits for whoever reaps it.
      if (state === 'Z' || state === 'X') return []
      const line = readFileSync(`/proc/${name}/cmdline`, 'latin1')
      return [{ pid: Number(name), group: Number(group), cwd: readlinkSync(`/proc/${name}/cwd`), line }]
    } catch {
      return []
    }
  })
}

async function noneLeft(isOurs: (seen: Seen) => boolean, what: string): Promise<void> {
  const deadline = performance.now() + PATIENCE_MS
  for (;;) {
    const left = living().filter(isOurs)
    if (left.length === 0) return
    if (performance.now() > deadline) {
      for (const { pid } of left) process.kill(pid, 'SIGKILL')
      assert.fail(`${what}: there is still ${JSON.stringify(left)}`)
    }
    await sleep(20)
  }
}

function memoryBase(): string {
  const base = mkdtempSync('/dev/shm/casemate-test-')
  after(() => rmSync(base, { recursive: true, force: true }))
  return base
}

function filesBelow(base: string): readonly string[] {
  return readdirSync(base, { recursive: true, withFileTypes: true })
    .filter(entry => entry.isFile())
    .map(entry => join(entry.parentPath, entry.name))
}

/** Waits for a file, unless who should make it ends. */
async function appears(path: string, maker: ChildProcess): Promise<void> {
  while (maker.exitCode === null && !existsSync(path)) await sleep(10)
}

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

  test('leaves nothing at whatever moment it is killed, renewals included', async () => {
    // Three seconds are too few for a machine that has much else to do; then an agent ends by itself, which is no harm.
    const lifetime = LONG ? '3s' : '60s'
    const broker = await serving(['--tour', '--token-lifetime', lifetime], /Ctrl-C stops/, { cwd })
    try {
      await Promise.all([killAgain(broker, 0), killAgain(broker, 1)])
    } finally {
      broker.child.kill('SIGKILL')
    }
  })

  /** Every second of the kills; one in three while the command runs and its lease is renewed. */
  async function killAgain(broker: Serving, first: number): Promise<void> {
    for (let kill = first; kill < KILLS; kill += 2) {
      if (kill % 3 === 0) await killOnce(broker, { running: true, afterMs: Math.random() * 3_000 })
      else await killOnce(broker, { running: false, afterMs: Math.random() * 1_000 })
    }
  }

  async function killOnce(
    broker: Serving,
    { running, afterMs }: { readonly running: boolean; readonly afterMs: number },
  ): Promise<void> {
    const [base, place] = [memoryBase(), realpathSync(temporaryDirectory(after))]
    const marker = join(place, 'ran')
    const command = [
      '--',
      '/bin/sh',
      '-c',
      `trap "" TERM HUP; echo ran > ${marker}; while :; do sleep 0.05; done`,
    ]
    const secret = 'default/demo/greeting'
    const agent = spawn(
      process.execPath,
      [BIN, 'run', '--grace', '0', '--memory-directory', base, '--secret-file', `${secret}=F`, ...command],
      {
        cwd: place,
        env: { ...process.env, CASEMATE_SERVER: broker.url, CASEMATE_DATA_DIR: join(cwd, '.casemate') },
        stdio: ['ignore', 'ignore', 'pipe'],
      },
    )
    let text = ''
    agent.stderr.on('data', chunk => (text += String(chunk)))
    const ended = once(agent, 'exit')
    if (running) await appears(marker, agent)
    assert.ok(LONG || agent.exitCode === null, text)
    await Promise.race([sleep(afterMs), ended])
    agent.kill('SIGKILL')
    await ended
    await noneLeft(seen => seen.cwd === place || seen.line.includes(base), `after ${afterMs} ms`)
    assert.deepEqual(filesBelow(base), [])
  }
})

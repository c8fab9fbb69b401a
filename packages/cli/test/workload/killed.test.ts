// `casemate run` that is killed (SIGKILL) at whatever moment chance takes leaves no process of its command's group and no
// secret file. CASEMATE_LONG_TESTS=1 takes many more.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { realpathSync } from 'node:fs'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { appears, filesBelow, memoryBase, noneLeft, skip } from '../../../agent/test/command/left-behind.ts'
import { BIN } from '../bin.ts'
import { type Serving, serving, temporaryDirectory } from '../run.ts'

const LONG = process.env['CASEMATE_LONG_TESTS'] === '1'
const KILLS = LONG ? 150 : 4

describe('a command whose agent is killed', { skip }, () => {
  const cwd = realpathSync(temporaryDirectory(after))

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

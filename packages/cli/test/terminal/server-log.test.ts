// The log of a server whose reader is slow, full or gone: what it costs, what is lost, and that it is said.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { EventEmitter, once } from 'node:events'
import { existsSync, openSync } from 'node:fs'
import { test } from 'node:test'
import { ServerLog } from '../../src/terminal/server-log.ts'
import { BIN } from '../bin.ts'
import { serving, temporaryDirectory } from '../run.ts'

const LINE = `${'x'.repeat(1023)}\n`

/** A process's own output: it takes lines again after an error. `write` says what becomes of a line. */
function output(write: (line: string, done: (error?: Error) => void) => void): NodeJS.WritableStream {
  return Object.assign(new EventEmitter(), { write }) as unknown as NodeJS.WritableStream
}

test('a reader that stands still costs a megabyte, and hears how many lines it has lost', () => {
  const [read, waiting]: [string[], (() => void)[]] = [[], []]
  const stream = output((line, done) => {
    read.push(line)
    waiting.push(done)
  })
  const log = new ServerLog(stream, lines => log.write(`lost ${lines}\n`))
  for (let line = 0; line < 1500; line++) log.write(LINE)
  assert.equal(read.length, 1024)
  for (const done of waiting.splice(0, 511)) done()
  assert.equal(read.length, 1024)
  for (const done of waiting.splice(0)) done()
  assert.deepEqual(read.slice(1024), ['lost 476\n'])
})

test('lines that cannot be written are lost and told, and those after them are written', () => {
  let isFull = true
  const read: string[] = []
  const stream = output((line, done) => {
    if (!isFull) read.push(line)
    done(isFull ? new Error('ENOSPC') : undefined)
    if (isFull) stream.emit('error', new Error('ENOSPC'))
  })
  const log = new ServerLog(stream, lines => log.write(`lost ${lines}\n`))
  log.write('one\n')
  log.write('two\n')
  isFull = false
  log.write('three\n')
  assert.deepEqual(read, ['three\n', 'lost 2\n'])
})

const UP = ['up', '--data-dir', 'data', '--listen', '127.0.0.1:0', '--metrics-listen', 'off']

/** Starts a broker whose log goes to `log`, and gives it with the address that it tells on standard error. */
async function brokerWith(log: number | 'pipe', cwd: string) {
  const child = spawn(process.execPath, [BIN, ...UP], { cwd, stdio: ['ignore', log, 'pipe'] })
  const closed = once(child, 'exit')
  let text = ''
  for await (const chunk of child.stderr!.iterator({ destroyOnReturn: false })) {
    text += String(chunk)
    const url = /serves (http:\S+),/.exec(text)?.[1]
    if (url !== undefined) return { child, url, closed }
  }
  throw new Error(`ended before it was ready:\n${text}`)
}

test('a broker whose log is on a full disk serves, and stops in order', async t => {
  if (!existsSync('/dev/full')) return t.skip('no /dev/full here')
  const { child, url, closed } = await brokerWith(
    openSync('/dev/full', 'w'),
    temporaryDirectory(clean => t.after(clean)),
  )
  t.after(() => child.kill('SIGKILL'))
  assert.equal((await fetch(`${url}/readyz`)).status, 200)
  child.kill('SIGTERM')
  assert.deepEqual(await closed, [0, null])
})

test('a broker whose log nobody reads serves, and comes to its end', async t => {
  const { child, url, closed } = await brokerWith(
    'pipe',
    temporaryDirectory(clean => t.after(clean)),
  )
  t.after(() => child.kill('SIGKILL'))
  // More than pipes hold.
  for (let round = 0; round < 500; round++) await (await fetch(`${url}/v1/info`)).text()
  assert.equal((await fetch(`${url}/readyz`)).status, 200)
  child.kill('SIGTERM')
  assert.deepEqual(await closed, [0, null])
})

test('a broker whose log nobody reads any more goes on', async t => {
  const directory = temporaryDirectory(clean => t.after(clean))
  const up = await serving([], /the broker serves/, { cwd: directory })
  up.child.stdout?.destroy()
  up.child.stderr?.destroy()
  up.child.kill('SIGHUP')
  for (let n = 0; n < 3; n++) assert.equal((await fetch(`${up.url}/v1/info`)).status, 200)
  assert.equal((await up.stop('SIGTERM')).code, 0)
})

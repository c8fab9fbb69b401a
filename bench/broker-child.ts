// The measured broker as its parent sees it: a process of its own (bench/handshake-server.ts), for as long as one run takes.
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { BROKER_ENVIRONMENT, BROKER_NODE_FLAGS } from '@casemate/broker/node-settings'
import type { Question, Start, Started } from './handshake-server.ts'

export interface Broker {
  readonly server: ChildProcess
  readonly started: Started
}

/** Ends it whatever becomes of `run`. */
export async function withBroker(start: Start, run: (broker: Broker) => Promise<void>): Promise<void> {
  const server = fork(new URL('./handshake-server.ts', import.meta.url), {
    serialization: 'advanced',
    // As `casemate up` starts itself.
    execArgv: [...BROKER_NODE_FLAGS],
    env: { ...BROKER_ENVIRONMENT, ...process.env },
  })
  const ended = once(server, 'exit')
  try {
    const started = (await question(server, start)) as Started
    await run({ server, started })
  } finally {
    if (server.connected) server.disconnect()
    await ended
  }
}

export async function ask(server: ChildProcess, what: Question): Promise<number> {
  return (await question(server, what)) as number
}

async function question(server: ChildProcess, message: Start | Question): Promise<unknown> {
  const ended = new AbortController()
  const onExit = () => ended.abort()
  server.once('exit', onExit)
  try {
    server.send(message)
    const [answer] = await once(server, 'message', { signal: ended.signal })
    return answer
  } catch (error) {
    throw ended.signal.aborted ? new Error('the measured broker ended', { cause: error }) : error
  } finally {
    server.off('exit', onExit)
  }
}

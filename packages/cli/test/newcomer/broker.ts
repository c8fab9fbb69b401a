// The newcomer's directory and the one broker in it. Its tests run in order, each on what those before have left.
import assert from 'node:assert/strict'
import { after } from 'node:test'
import { type Serving, serving, temporaryDirectory } from '../run.ts'
import { typingIn } from '../typing.ts'

const READY = /Ctrl-C stops/
export const cwd = temporaryDirectory(after)
/** The one that was started last. */
export let broker: Serving

export async function startTour(): Promise<void> {
  broker = await serving(['--tour'], READY, { cwd })
}

/** Runs a command beside the broker, as the newcomer would in another terminal. */
export const { ran: beside } = typingIn(cwd, { env: () => ({ CASEMATE_SERVER: broker.url }) })

export async function jsonOf(line: string): Promise<never> {
  const { code, stdout, stderr } = await beside(`${line} --json`)
  assert.equal(code, 0, stdout + stderr)
  return JSON.parse(stdout) as never
}

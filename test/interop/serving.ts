// Our commands that serve, for clients that are not ours.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { after } from 'node:test'
import { BIN } from '../../packages/cli/test/bin.ts'

/** Starts a command, and resolves with what it prints when it is ready. */
export async function startServing(
  cwd: string,
  args: readonly string[],
  ready: RegExp,
): Promise<RegExpExecArray> {
  const child = spawn(process.execPath, [BIN, ...args], { cwd, stdio: ['ignore', 'pipe', 'inherit'] })
  after(async () => {
    child.kill('SIGTERM')
    if (child.exitCode === null && child.signalCode === null) await once(child, 'close')
  })
  let text = ''
  for await (const chunk of child.stdout.iterator({ destroyOnReturn: false })) {
    text += String(chunk)
    const found = ready.exec(text)
    if (found !== null) return found
  }
  throw new Error(`ended before it was ready:\n${text}`)
}

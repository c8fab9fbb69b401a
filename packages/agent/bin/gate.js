// The gate before a workload's program: waits until it is told on descriptor 3 what to run, and becomes that. Where the
// other end is closed first, its agent is gone, and nothing is run. It is told the environment there as well, so that no
// secret is in this process before. Plain JavaScript, so that it starts fast.
import { accessSync, constants, readSync, statSync, writeSync } from 'node:fs'

const CHANNEL = 3
/** First of all: whoever does not hear it has no gate. */
const HERE = '+'
/** Where execvp(3) looks without PATH. */
const DEFAULT_PATH = '/bin:/usr/bin'
/** After which execvp looks on: the next directory may have it. */
const LOOK_ON = ['ENOENT', 'ENOTDIR', 'EACCES', 'ENODEV', 'ESTALE', 'ETIMEDOUT']
const NOT_EXECUTABLE = 126
const MISSING = 127

/** The line that says what to run; null where the channel ends before it does. */
function readOrder() {
  const chunks = []
  const chunk = Buffer.alloc(64 * 1024)
  for (;;) {
    const length = readSync(CHANNEL, chunk)
    if (length === 0) return null
    chunks.push(Buffer.from(chunk.subarray(0, length)))
    if (chunk[length - 1] === 0x0a) return JSON.parse(Buffer.concat(chunks).toString())
  }
}

/** Nobody hears it where our agent is gone. */
function tell(text) {
  try {
    writeSync(CHANNEL, text)
  } catch (error) {
    if (error.code !== 'EPIPE') throw error
  }
}

/** @param {string} command @param {string | undefined} path */
function placesOf(command, path) {
  if (command === '' || command.includes('/')) return [command]
  return (path ?? DEFAULT_PATH)
    .split(':')
    .map(directory => `${directory === '' ? '.' : directory}/${command}`)
}

/**
 * Becomes the file, or throws. A text without #! is a shell's, as for execvp. Looked at first: older versions of Node end
 * where execve(2) fails.
 */
function become(file, { args, command, env }) {
  accessSync(file, constants.X_OK)
  if (!statSync(file).isFile()) throw Object.assign(new Error('is no file'), { code: 'EACCES' })
  try {
    process.execve(file, [command, ...args], env)
  } catch (error) {
    if (error.code !== 'ENOEXEC') throw error
    process.execve('/bin/sh', ['sh', file, ...args], env)
  }
}

/** Does not return where the command runs; else gives the errno that says most. */
function run(order) {
  let code = 'ENOENT'
  for (const file of placesOf(order.command, order.env.PATH)) {
    try {
      become(file, order)
    } catch (error) {
      const failure = error.code ?? 'EINVAL'
      if (!LOOK_ON.includes(failure)) return failure
      if (failure === 'EACCES') code = failure
    }
  }
  return code
}

// Node ignores the first two, and what is ignored stays so for the next program; what has a handler does not (execve(2)).
// The third would open a debugger.
for (const signal of ['SIGPIPE', 'SIGXFSZ', 'SIGUSR1']) process.on(signal, () => undefined)
tell(HERE)
const order = readOrder()
if (order !== null) {
  const code = run(order)
  tell(code)
  process.exitCode = code === 'ENOENT' ? MISSING : NOT_EXECUTABLE
}

// Runs commands in a directory and an environment of their own: most in this process, with streams that are read
// back; `casemateProcess` and `serving` as the real child process, for what only a process shows.
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable, Writable } from 'node:stream'
import { after } from 'node:test'
import { run } from '../src/main.ts'
import { BIN } from './bin.ts'

export interface Ran {
  readonly code: number | null
  readonly stdout: string
  readonly bytes: Buffer
  readonly stderr: string
}

export interface RunOptions {
  readonly cwd?: string
  readonly env?: Readonly<Record<string, string>>
  readonly input?: string | Uint8Array
  /** Stands for a person's screen with colours and 80 columns. */
  readonly screen?: true
}

/** Of a command that a test starts: this process's, without the settings of whoever runs the tests. */
export function environment(env: RunOptions['env'] = {}): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(
    ([name]) => !name.startsWith('CASEMATE_') && name !== 'NODE_OPTIONS',
  )
  return { ...Object.fromEntries(kept), ...env }
}

/** A stream that keeps what is written to it. */
class Kept extends Writable {
  readonly #chunks: Buffer[] = []
  readonly isTTY: boolean
  readonly columns = 80
  readonly hasColors: () => boolean

  constructor(screen: boolean) {
    super()
    this.isTTY = screen
    this.hasColors = () => screen
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.#chunks.push(chunk)
    done()
  }

  get bytes(): Buffer {
    return Buffer.concat(this.#chunks)
  }
}

/** Empty: what others leave among temporary files is no file of a test. */
const NOWHERE = temporaryDirectory(clean => void process.once('exit', clean))

const started: ChildProcess[] = []
// A test that fails before its end must not leave a process behind, which would keep the test file from ending.
after(() => {
  for (const child of started) child.kill('SIGKILL')
})

/** Runs a command line in this process, to the end. */
export async function casemate(args: readonly string[], options: RunOptions = {}): Promise<Ran> {
  const [stdout, stderr] = [new Kept(options.screen === true), new Kept(options.screen === true)]
  const stdin = Readable.from(options.input === undefined ? [] : [Buffer.from(options.input)])
  process.chdir(options.cwd ?? NOWHERE)
  const code = await run(args, { stdin, stdout, stderr, env: environment(options.env) })
  return { code, stdout: stdout.bytes.toString(), bytes: stdout.bytes, stderr: stderr.bytes.toString() }
}

/** Runs a command line as a process of its own, to the end. */
export function casemateProcess(args: readonly string[], options: RunOptions = {}): Promise<Ran> {
  return runNode([BIN, ...args], options)
}

/** Node with these arguments, to the end. */
export function runNode(args: readonly string[], options: RunOptions = {}): Promise<Ran> {
  const child = spawn(process.execPath, args, {
    cwd: options.cwd ?? NOWHERE,
    env: environment(options.env),
    stdio: 'pipe',
  })
  started.push(child)
  // A command that does not read its input may be gone before it is written.
  child.stdin.on('error', () => undefined)
  child.stdin.end(options.input ?? '')
  const stdout: Buffer[] = []
  const stderr: Buffer[] = []
  child.stdout.on('data', chunk => stdout.push(chunk))
  child.stderr.on('data', chunk => stderr.push(chunk))
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', code => {
      const bytes = Buffer.concat(stdout)
      resolve({ code, stdout: bytes.toString(), bytes, stderr: Buffer.concat(stderr).toString() })
    })
  })
}

export interface Serving {
  readonly child: ChildProcess
  readonly url: string
  /** All that was printed until it was ready. */
  readonly text: string
  /** Waits until this was printed too, and gives all that has been since it was asked last. */
  hears(what: RegExp): Promise<string>
  /** Sends a signal, and gives the exit code and all that was printed. */
  stop(signal: NodeJS.Signals): Promise<{ readonly code: number | null; readonly text: string }>
}

/** Starts `casemate up …`, and waits until `ready` was printed. */
export async function serving(args: readonly string[], ready: RegExp, options: RunOptions): Promise<Serving> {
  const child = spawn(
    process.execPath,
    [BIN, 'up', '--listen', '127.0.0.1:0', '--metrics-listen', 'off', ...args],
    {
      cwd: options.cwd,
      env: environment(options.env),
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  )
  started.push(child)
  let text = ''
  const closed = new Promise<number | null>(resolve => child.on('close', resolve))
  await new Promise<void>((resolve, reject) => {
    const hear = (part: string): void => {
      text += part
      if (ready.test(text)) resolve()
    }
    // A character may come in two parts.
    child.stdout.setEncoding('utf8').on('data', hear)
    child.stderr.setEncoding('utf8').on('data', hear)
    void closed.then(code => reject(new Error(`ended with ${code} before it was ready:\n${text}`)))
  })
  let heard = text.length
  const url = /http:\/\/127\.0\.0\.1:\d+/.exec(text)?.[0]
  if (url === undefined) throw new Error(`no address in:\n${text}`)
  return {
    child,
    url,
    text,
    hears: what => {
      const from = heard
      return new Promise((resolve, reject) => {
        const look = (): void => {
          if (!what.test(text.slice(from))) return
          for (const stream of [child.stdout, child.stderr]) stream.off('data', look)
          heard = text.length
          resolve(text.slice(from))
        }
        child.stdout.on('data', look)
        child.stderr.on('data', look)
        void closed.then(code => reject(new Error(`ended with ${code} before ${what}:\n${text}`)))
        look()
      })
    },
    stop: async signal => {
      child.kill(signal)
      return { code: await closed, text }
    },
  }
}

/** A directory that is gone after the tests. */
export function temporaryDirectory(atEnd: (clean: () => void) => void): string {
  const path = mkdtempSync(join(tmpdir(), 'casemate-test-'))
  atEnd(() => rmSync(path, { recursive: true, force: true }))
  return path
}

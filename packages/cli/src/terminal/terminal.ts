// The streams that a command reads and writes. Answers go to stdout, everything else to stderr; colours are used only
// where the stream is a terminal that has them (which honours NO_COLOR), and never in JSON.
// Whatever is printed goes by `visible`: a line holds no control character but our own colours, whoever wrote its words.

import type { ReadStream, WriteStream } from 'node:tty'
import { printable } from './printable.ts'
import { ServerLog } from './server-log.ts'

/** A way to set off a piece of text; the identity if there are no colours. */
export type Paint = (text: string) => string

/** The few colours in use: green passed, red failed, yellow take care, dim beside the point. */
export interface Palette {
  readonly bold: Paint
  readonly dim: Paint
  readonly green: Paint
  readonly red: Paint
  readonly yellow: Paint
  readonly cyan: Paint
}

/** The world as a command sees it. */
export interface Terminal {
  readonly json: boolean
  readonly env: Readonly<Record<string, string | undefined>>
  readonly now: () => Date
  readonly fetch: typeof globalThis.fetch
  readonly palette: Palette
  /** Prints lines on stdout. A line end within a line is not ours, and is shown as `\u000a`. */
  readonly print: (lines: readonly string[]) => void
  /** Stdout for a server's log, line by line; `tellLost` is called where lines were lost. */
  readonly serverLog: (tellLost: (lines: number) => void) => { readonly write: (line: string) => void }
  /** Octets for stdout as they are: a secret. */
  readonly writeBytes: (bytes: Uint8Array) => void
  /** Prints one line on stderr. */
  readonly note: (line: string) => void
  /** The same with who says it: `casemate: ` before the line. */
  readonly tell: (line: string) => void
  readonly readStdin: () => Promise<Uint8Array>
  /** For what is too large to be held: octets as they come, and as they go. */
  readonly stdin: NodeJS.ReadableStream
  readonly stdout: NodeJS.WritableStream
  /** One line on stderr that each call replaces, and null takes away; null itself if no person watches. */
  readonly status: ((line: string | null) => void) | null
  /** True where stdin is a person at a keyboard. */
  readonly interactive: boolean
  /** Columns of a person’s screen; null where the answer goes into a file or a pipe. */
  readonly columns: number | null
  /** Runs `work`, and says on stderr what is going on when it takes over a second. */
  readonly progress: <T>(what: string, work: Promise<T>) => Promise<T>
}

/** The streams and the environment of a process. */
export interface Streams {
  readonly stdin: NodeJS.ReadableStream & Partial<Pick<ReadStream, 'isTTY'>>
  readonly stdout: NodeJS.WritableStream & Partial<Pick<WriteStream, 'isTTY' | 'hasColors' | 'columns'>>
  readonly stderr: NodeJS.WritableStream & Partial<Pick<WriteStream, 'isTTY' | 'hasColors'>>
  readonly env: Readonly<Record<string, string | undefined>>
}

/** Work below this many milliseconds is over before anyone wonders. */
const QUIET_MS = 1_000

/** A secret or evidence on stdin is refused above this many octets. */
const STDIN_LIMIT_BYTES = 4 * 1024 * 1024

const PLAIN: Palette = {
  bold: same,
  dim: same,
  green: same,
  red: same,
  yellow: same,
  cyan: same,
}

const COLOURS: Palette = {
  bold: sgr(1, 22),
  dim: sgr(2, 22),
  green: sgr(32, 39),
  red: sgr(31, 39),
  yellow: sgr(33, 39),
  cyan: sgr(36, 39),
}

function same(text: string): string {
  return text
}

/** Stands for our colours until they are printed; a text from elsewhere cannot know it, and so cannot paint. */
interface Paints {
  readonly name: string
  readonly pattern: RegExp
}
/** Made with the first colour: what is random takes a fifth of a start. */
let made: Paints | null = null

function paints(): Paints {
  if (made !== null) return made
  const name = process.getBuiltinModule('node:crypto').randomUUID()
  made = { name, pattern: new RegExp(`<${name};(\\d+)>`) }
  return made
}

function sgr(on: number, off: number): Paint {
  return text => `<${paints().name};${on}>${text}<${paints().name};${off}>`
}

/** A line as it goes to a stream: what a terminal would obey is escaped, and our colours are put in. */
function visible(line: string): string {
  if (made === null) return printable(line)
  return line
    .split(made.pattern)
    .map((piece, index) => (index % 2 === 0 ? printable(piece) : `\u001b[${piece}m`))
    .join('')
}

/** The colours of a stream: none unless it is a terminal that has them. */
export function paletteOf(stream: Streams['stdout']): Palette {
  return stream.isTTY === true && stream.hasColors?.() === true ? COLOURS : PLAIN
}

/** Opens the terminal of one invocation. */
export function openTerminal(streams: Streams, json: boolean): Terminal {
  const { stdin, stdout, stderr, env } = streams
  const note = (line: string): void => void stderr.write(`${visible(line)}\n`)
  return {
    json,
    env,
    now: () => new Date(),
    fetch: globalThis.fetch,
    palette: json ? PLAIN : paletteOf(stdout),
    print: lines => void stdout.write(lines.map(line => `${visible(line)}\n`).join('')),
    serverLog: tellLost => {
      const log = new ServerLog(stdout, tellLost)
      return { write: line => log.write(`${visible(line.trimEnd())}\n`) }
    },
    writeBytes: bytes => void stdout.write(bytes),
    note,
    tell: line => note(`casemate: ${line}`),
    readStdin: () => readAll(stdin),
    stdin,
    stdout,
    status:
      stderr.isTTY === true
        ? line => void stderr.write(`\r\u001b[2K${line === null ? '' : visible(line)}`)
        : null,
    interactive: stdin.isTTY === true,
    columns: stdout.isTTY === true ? (stdout.columns ?? null) : null,
    progress: (what, work) => withProgress(stderr, what, work),
  }
}

async function readAll(stream: NodeJS.ReadableStream): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of stream) {
    const bytes = typeof chunk === 'string' ? new TextEncoder().encode(chunk) : new Uint8Array(chunk)
    size += bytes.length
    if (size > STDIN_LIMIT_BYTES) throw new RangeError(`stdin is over ${STDIN_LIMIT_BYTES} bytes`)
    chunks.push(bytes)
  }
  return new Uint8Array(Buffer.concat(chunks))
}

async function withProgress<T>(stderr: Streams['stderr'], what: string, work: Promise<T>): Promise<T> {
  const live = stderr.isTTY === true
  let shown = false
  const timer = setTimeout(() => {
    shown = true
    stderr.write(live ? visible(`${what} …`) : `${visible(`${what} …`)}\n`)
  }, QUIET_MS)
  try {
    return await work
  } finally {
    clearTimeout(timer)
    if (shown && live) stderr.write('\r\u001b[2K')
  }
}

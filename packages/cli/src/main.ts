// The command: parse, run, print, and say by the exit code how it went.

import { type Failure, failureOf } from './failure.ts'
import { helpFor } from './help.ts'
import { parseCommandLine, wantsJson } from './parse.ts'
import { jsonLines } from './printable.ts'
import { openTerminal, paletteOf, type Streams, type Terminal } from './terminal.ts'
import { checkVariables } from './variables.ts'
import { version } from './version.ts'

/** Runs one command line with the process’s own streams, and returns its exit code. */
export async function main(argv: readonly string[]): Promise<number> {
  // `casemate log show | head`: a reader that has seen enough is no error; nor does a server end where its log's reader does.
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE') throw error
    })
  }
  return run(argv, process)
}

/** Runs one command line, and returns its exit code. */
export async function run(argv: readonly string[], streams: Streams): Promise<number> {
  const terminal = openTerminal(streams, wantsJson(argv))
  try {
    const request = await parseCommandLine(argv)
    switch (request.kind) {
      case 'help':
        await printHelp(request.words, terminal)
        return 0
      case 'version':
        terminal.print(terminal.json ? jsonLines({ version: version() }) : [`casemate ${version()}`])
        return 0
      case 'run': {
        await checkVariables(terminal.env)
        const answer = await request.command.run({ ...request.values, terminal })
        if (terminal.json) terminal.print(jsonLines(answer.json))
        else if (answer.bytes !== undefined) writeOctets(answer.bytes, terminal)
        else terminal.print(answer.lines)
        return answer.exitCode
      }
      default:
        return request satisfies never
    }
  } catch (error) {
    const failure = failureOf(error)
    report(failure, terminal, streams)
    return failure.exitCode
  }
}

async function printHelp(words: readonly string[], terminal: Terminal): Promise<void> {
  const lines = await helpFor(words, terminal.palette)
  terminal.print(terminal.json ? jsonLines({ help: lines }) : lines)
}

/** As they are; on a screen with a line end, so that the prompt stands alone. */
function writeOctets(bytes: Uint8Array, terminal: Terminal): void {
  terminal.writeBytes(bytes)
  if (terminal.columns !== null) terminal.print([''])
}

function report(failure: Failure, terminal: Terminal, streams: Streams): void {
  if (terminal.json) {
    const { exitCode, ...error } = failure
    terminal.print(jsonLines({ error: { ...error, exitCode } }))
    return
  }
  const { red, dim } = paletteOf(streams.stderr)
  terminal.note(`casemate: ${red(failure.code)}: ${failure.message}`)
  for (const line of failure.problems ?? failure.trace ?? []) terminal.note(`  ${line}`)
  // A list of problems has said each with what was wanted, what was there, and its hint.
  const isSaid = (text: string): boolean => failure.problems?.some(line => line.includes(text)) ?? false
  const { expected, got, hint } = failure
  if (expected !== undefined && !isSaid(expected)) terminal.note(`  ${dim('expected')} ${expected}`)
  if (got !== undefined && !isSaid(got)) terminal.note(`  ${dim('got')}      ${got}`)
  if (hint !== undefined && !isSaid(hint)) terminal.note(`hint: ${hint}`)
}

// Every way in which a command can fail, brought to one shape.

import { clip } from '../terminal/printable.ts'
import { CLI_CODES, CliError } from './cli-error.ts'
import { exitCodeOf } from './exit-codes.ts'
import type { Failure } from './failure.ts'
import { auditHint, hintOf } from './hints.ts'
import { machineFailure } from './machine-failure.ts'

/** Brings anything thrown to a {@link Failure}; what is not known here is a fault of our own. */
export function failureOf(thrown: unknown): Failure {
  if (thrown instanceof CliError) {
    return { exitCode: CLI_CODES[thrown.code], code: thrown.code, message: thrown.message, ...textOf(thrown) }
  }
  return (
    packageFailure(thrown) ??
    machineFailure(thrown) ?? {
      exitCode: 70,
      code: 'internal-error',
      message: thrown instanceof Error ? `${thrown.name}: ${thrown.message}` : String(thrown),
      ...traceOf(thrown),
      hint: 'this is a fault in casemate; please report it with the command that you typed',
    }
  )
}

/** The failure that an error of a package below means; null for any other. */
function packageFailure(thrown: unknown): Failure | null {
  if (!(thrown instanceof Error && 'code' in thrown && typeof thrown.code === 'string')) return null
  const { name, code, message } = thrown
  const exitCode = exitCodeOf({ name, code })
  if (exitCode === null) return null
  const problems = problemsOf(thrown)
  const count = problems.filter(line => !line.startsWith(' ')).length
  return {
    exitCode,
    code,
    message: problems.length > 0 ? `${count} problem${count === 1 ? '' : 's'}` : message,
    ...auditHint(message),
    ...hintOf(code, message),
    ...textOf(thrown),
    ...(problems.length > 0 ? { problems } : {}),
  }
}

function traceOf(thrown: unknown): { readonly trace?: readonly string[] } {
  const stack = thrown instanceof Error ? thrown.stack : undefined
  const frames = stack?.split('\n').filter(line => /^\s+at /.test(line)) ?? []
  return frames.length === 0 ? {} : { trace: frames.map(frame => frame.trim()) }
}

/** The optional texts of an error, those that are there. */
function textOf(error: Error): Pick<Failure, 'expected' | 'got' | 'hint'> {
  const texts: Record<string, string> = {}
  for (const name of ['expected', 'got', 'hint'] as const) {
    const value: unknown = Reflect.get(error, name)
    if (typeof value === 'string') texts[name] = name === 'hint' ? value : clip(value)
  }
  return texts
}

/** What is wrong with a document or a source, line by line: `problems` of a parser or compiler, `violations` of the broker. */
function problemsOf(error: Error): string[] {
  const found: unknown = Reflect.get(error, 'problems') ?? Reflect.get(error, 'violations')
  if (!Array.isArray(found)) return []
  if (found.every(line => typeof line === 'string')) return found
  let told: string | undefined
  return found.flatMap(({ path = '', expected = '', got = '', hint }: Record<string, string | undefined>) => {
    const at = path === '' ? '' : `${path}: `
    // A schema says what something must be; a policy, what is wanted.
    const line = expected.startsWith('must ')
      ? `${at}${clip(got)} ${clip(expected)}`
      : `${at}got ${clip(got)}, want ${clip(expected)}`
    // One hint often serves a whole list; it is said once.
    const lines = hint === undefined || hint === told ? [line] : [line, `  ${hint}`]
    told = hint ?? told
    return lines
  })
}

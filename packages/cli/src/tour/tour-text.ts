// The tour on the screen.

import { wrap } from '../terminal/marks.ts'
import type { Terminal } from '../terminal/terminal.ts'
import type { TourStep } from './step.ts'

/** No line is longer, also on a wide screen; nobody likes to read across one. */
const MAX_WIDTH = 92
const MARGIN = 5

/** A screen's worth of room for sentences. */
function room(columns: number | null): number {
  return Math.min(columns ?? MAX_WIDTH, MAX_WIDTH) - MARGIN
}

/** What has to be said before anything else. */
export function openingLines(directory: string, { palette, columns }: Terminal): string[] {
  const said =
    'It gives secrets to programs that have proved what they are, and to nothing else. Here is the whole job, on a ' +
    `simulated machine: a virtual Intel TDX machine (a confidential VM) with keys of its own, made just now in ${directory}.`
  const warned =
    'No hardware stands behind it, and the policy accepts it only because it says so by name. All else is the real thing.'
  return [
    ...wrap(said, room(columns)).map(line => `  ${line}`),
    ...wrap(warned, room(columns)).map(line => `  ${palette.yellow(line)}`),
  ]
}

/** One step: number, title, sentence, and what came of it. */
export function stepLines(step: TourStep, number: number, { palette, columns }: Terminal): string[] {
  const width = Math.max(0, ...step.proofs.map(proof => proof.what.length))
  return [
    `  ${palette.bold(`${number}  ${step.title}`)}`,
    ...wrap(step.sentence, room(columns)).map(line => `     ${line}`),
    ...step.proofs.flatMap(({ what, detail }) => {
      const head = `     ${palette.green('✓')} ${palette.dim(what.padEnd(width))}  `
      return hanging(head, detail, { indent: width + '     ✓   '.length, columns })
    }),
  ]
}

/** A text after a head, its further lines below its first. The head may have colours, so its width is told. */
function hanging(
  head: string,
  text: string,
  { indent, columns }: { readonly indent: number; readonly columns: number | null },
): string[] {
  const [first = '', ...rest] = wrap(text, room(columns) + MARGIN - indent)
  return [`${head}${first}`, ...rest.map(line => ' '.repeat(indent) + line)]
}

/** A token that is shown. */
export interface ShownToken {
  readonly token: string
  /** The file that has it as well; null if none does. */
  readonly savedTo: string | null
  readonly endsAt: Date
}

/** The administrator's token, shown this once, alone on its line. */
export function tokenLines({ token, savedTo, endsAt }: ShownToken, { palette, columns }: Terminal): string[] {
  const kept =
    savedTo === null
      ? 'It is not stored, and not shown again: keep it where you keep secrets.'
      : `Shown this once. For this tour it is also in ${savedTo} (mode 0600): the commands just work.`
  return [
    `  ${palette.bold('Administrator’s token')}`,
    `  ${palette.cyan(token)}`,
    ...wrap(`${kept} ${endSentence(endsAt)}`, room(columns)).map(line => `  ${palette.dim(line)}`),
  ]
}

/** The same if no person watches: what is printed may be kept in a log. */
export function tokenFileLines(path: string, endsAt: Date, { palette, columns }: Terminal): string[] {
  const kept = `It is in ${path} (mode 0600): the commands just work. ${endSentence(endsAt)}`
  return [
    `  ${palette.bold('Administrator’s token')}`,
    ...wrap(kept, room(columns)).map(line => `  ${palette.dim(line)}`),
  ]
}

function endSentence(endsAt: Date): string {
  return `It ends on ${endsAt.toISOString().slice(0, 10)}.`
}

/** Where no token is shown, as there is one that somebody may have lost. */
export const LOST_TOKEN =
  'no new token, as an administrator has one; where it is lost, casemate up --new-admin-token makes another'

/** Commands to try next; a command is never broken, so that it can be copied. */
export function nextLines(
  commands: readonly (readonly [string, string])[],
  { palette, columns }: Terminal,
): string[] {
  return [
    `  ${palette.bold('Try next')}, in another terminal:`,
    '',
    ...commands.flatMap(([what, command]) => [
      ...wrap(what, room(columns) - 1).map(line => `    ${palette.dim(`# ${line}`)}`),
      `    ${command}`,
    ]),
  ]
}

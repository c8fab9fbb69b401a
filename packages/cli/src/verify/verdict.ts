// An examination for a person: what it is, each step with a mark, the platform's state, the measurements, and the
// verdict with its reasons. And the same as JSON.

import { type AppraisalPolicy, comparesCode, isCodeKnown } from '@casemate/appraisal'
import { type Claims, kindOf, type ParsedEvidence } from '@casemate/evidence'
import { shownKind } from '../kinds/kinds.ts'
import { hanging, plain, refusedLines, stepLines, violationLines } from '../terminal/marks.ts'
import { fields } from '../terminal/table.ts'
import type { Palette } from '../terminal/terminal.ts'
import type { Examination } from './examine.ts'
import { knownCodeWords } from './known-code.ts'
import { type Measurement, measurementsOf, statedBy } from './measurements.ts'
import { isUndecided, type Lack, lackOf } from './undecided.ts'

/** What to do about what was lacking. */
const HINTS: Readonly<Record<Lack, string>> = {
  missing: '--online fetches what the vendor publishes, --endorsements PATH gives it',
  window: 'the collateral does not cover this time; supply one valid at that time, or use --online',
}

/** Nobody publishes what the maker of simulated machines signs. */
const SIMULATED_WINDOW =
  'the collateral does not cover this time. That of a simulated machine lasts 30 days: casemate up or attest, with its data directory, signs it anew, and --trust reads it then; of a real one, supply one valid at that time, or use --online'

/** What names itself so is of nobody's hardware, whoever made it. */
const OF_A_SIMULATOR =
  'by its name it is a simulator’s: --trust FILE takes the public-trust.json of one, which proves nothing of hardware'

/** What is not published is not to be had by `--online`; the refusal itself says where it comes from. */
function hintOf(
  refusal: NonNullable<Examination['refusal']>,
  evidence: ParsedEvidence | null,
  { isSimulatorTrusted }: Situation,
): string | undefined {
  if (refusal.code === 'chain-untrusted' && refusal.got?.startsWith('Casemate Simulated') === true)
    return OF_A_SIMULATOR
  const isWithheld =
    refusal.code === 'endorsement-missing' &&
    evidence !== null &&
    !kindOf(evidence).isSignerPublished(evidence)
  const lack = isWithheld ? null : lackOf(refusal.code)
  if (lack === 'window' && isSimulatorTrusted) return SIMULATED_WINDOW
  return lack === null ? refusal.hint : HINTS[lack]
}

/** What a refusal means to somebody who does not know the format, where its message does not say so. */
const MEANINGS: ReadonlyMap<string, string> = new Map([
  ['quote-signature-invalid', 'it was altered after it was signed, or signed by another key'],
  ['qe-report-signature-invalid', 'the part that vouches for the signing key was altered, or is forged'],
  ['qe-binding-mismatch', 'the key that signed is not the one that the quoting enclave vouches for'],
])

/** Under which conditions it was examined. */
export interface Situation {
  readonly at: Date
  readonly policy: AppraisalPolicy
  readonly isSimulatorTrusted: boolean
  readonly palette: Palette
  /** Columns of the screen; null where the text goes into a file or a pipe. */
  readonly columns: number | null
}

/** Everything that was found, as data. */
export function examinationJson(file: string, examination: Examination, situation: Situation): unknown {
  const { evidence, steps, refusal, claims, validUntil, result, accepted } = examination
  return {
    file,
    kind: evidence?.kind ?? null,
    at: situation.at.toISOString(),
    verdict: accepted ? 'accepted' : isUndecided(refusal) ? 'undecided' : 'refused',
    genuine: claims !== null,
    codeCompared: isCodeCompared(examination, situation),
    steps,
    refusal: refusal && {
      code: refusal.code,
      message: refusal.message,
      expected: refusal.expected ?? null,
      got: refusal.got ?? null,
      hint: hintOf(refusal, evidence, situation) ?? null,
    },
    claims,
    validUntil: validUntil?.toISOString() ?? null,
    result,
  }
}

/** Everything that was found, to be read from top to bottom. */
export function examinationLines(file: string, examination: Examination, situation: Situation): string[] {
  const { palette } = situation
  const { evidence, claims } = examination
  const blocks = [
    [palette.bold(file), `  ${evidence === null ? 'not recognised' : kindOf(evidence).describe(evidence)}`],
    checks(examination, situation),
  ]
  if (claims !== null) {
    blocks.push(platform(claims, palette), measurements(measurementsOf(claims), 'Measurements', palette))
  } else if (evidence !== null) {
    blocks.push(measurements(statedBy(evidence), 'Measurements, as stated and not verified', palette))
  }
  blocks.push(verdict(examination, situation))
  return blocks.flatMap((block, index) => (index === 0 ? block : ['', ...block]))
}

function checks({ evidence, steps, refusal }: Examination, situation: Situation): string[] {
  const { at, palette, columns } = situation
  if (evidence === null && refusal !== null) return refusalLines(refusal, situation)
  const lines = [palette.bold(`Checked as of ${instant(at)}`), ...stepLines(steps, palette, columns)]
  if (steps.length === 0 && refusal === null) lines.push('  nothing is signed, so nothing could be checked')
  if (refusal !== null) lines.push(...refusalLines(refusal, situation))
  return lines
}

function refusalLines(refusal: NonNullable<Examination['refusal']>, situation: Situation): string[] {
  const { columns } = situation
  const lines = refusedLines(refusal.code, refusal.message, situation)
  if (refusal.expected !== undefined)
    lines.push(...hanging(`      expected  ${plain(refusal.expected)}`, 16, columns))
  if (refusal.got !== undefined) lines.push(...hanging(`      got       ${plain(refusal.got)}`, 16, columns))
  return lines
}

/** Debug, TCB status and simulation: what speaks for or against the platform. */
function platform(claims: Claims, palette: Palette): string[] {
  const rows: [string, string][] = []
  if (claims.tcbStatus !== null) {
    const shown =
      claims.tcbStatus === 'UpToDate' ? palette.green(claims.tcbStatus) : palette.yellow(claims.tcbStatus)
    const since = claims.tcbDate === null ? '' : ` (oldest TCB level of ${claims.tcbDate.slice(0, 10)})`
    rows.push(['TCB status', shown + since])
    rows.push(['advisories', claims.advisoryIds.length === 0 ? 'none' : claims.advisoryIds.join(', ')])
  }
  const shown = shownKind(claims.kind)
  rows.push(...shown.platform(claims).map(([name, value]): [string, string] => [name, value]))
  const { hardwareId } = claims
  rows.push([
    'hardware id',
    hardwareId === null ? shown.noHardwareId : hardwareId + shown.hardwareIdNote(claims),
  ])
  rows.push(['debug', claims.debug ? palette.red('yes, the host can read its memory') : 'no'])
  rows.push(['simulated', claims.simulated ? palette.yellow('yes, no hardware stands behind it') : 'no'])
  return [palette.bold('Platform'), ...fields(rows, '  ')]
}

function measurements(rows: readonly Measurement[], title: string, palette: Palette): string[] {
  return [palette.bold(title), ...fields(rows, '  ')]
}

/** False where the code is only shown, or only a part of it was compared. */
function isCodeCompared({ evidence, result, accepted }: Examination, { policy }: Situation): boolean {
  if (result !== null && accepted) return isCodeKnown(result.codeKnownBy)
  return evidence !== null && comparesCode(policy, evidence.kind)
}

function verdict(examination: Examination, situation: Situation): string[] {
  const { policy, palette } = situation
  const { evidence, refusal, result, accepted, claims, validUntil } = examination
  const lines: string[] = []
  if (refusal !== null) return refusalVerdict(refusal, evidence, situation)
  if (result !== null && !accepted) {
    const real = claims?.simulated === true ? 'well-formed' : 'genuine'
    lines.push(
      `${palette.bold('Verdict')}  ${palette.red('NOT TO BE TRUSTED')}: ${real}, and not what the policy ${policy.name} wants`,
      ...violationLines(result.violations, palette),
    )
    if (result.closestReference !== null) lines.push(...closest(result.closestReference))
    return lines
  }
  const until = validUntil === null ? '' : `, until ${instant(validUntil)}`
  const workload = result?.workload == null ? '' : `, workload ${result.workload}`
  const what = workload + knownCodeWords(result?.codeKnownBy)
  lines.push(
    `${palette.bold('Verdict')}  ${palette.green('TRUSTED')} by the policy ${policy.name}${what}${until}`,
  )
  if (!isCodeCompared(examination, situation)) {
    lines.push('  hint: --references FILE says which code is wanted')
  }
  return lines
}

function refusalVerdict(
  refusal: NonNullable<Examination['refusal']>,
  evidence: ParsedEvidence | null,
  situation: Situation,
): string[] {
  const { palette, columns } = situation
  const { code } = refusal
  const word = isUndecided(refusal)
    ? `${palette.yellow('UNDECIDED')}, and so not to be trusted`
    : palette.red('NOT TO BE TRUSTED')
  const lines = [`${palette.bold('Verdict')}  ${word}: ${code}`]
  const meaning = MEANINGS.get(code)
  if (meaning !== undefined) lines.push(`  ${meaning}`)
  const shownHint = hintOf(refusal, evidence, situation)
  if (shownHint !== undefined) lines.push(...hanging(`  hint: ${shownHint}`, 8, columns))
  return lines
}

function closest(reference: NonNullable<NonNullable<Examination['result']>['closestReference']>): string[] {
  return [
    `  closest known workload: ${reference.workload}`,
    ...reference.differs.map(
      ({ field, expected, got }) => `    ${field}: expected ${plain(expected)}, got ${plain(got)}`,
    ),
  ]
}

function instant(at: Date): string {
  return at
    .toISOString()
    .replace('T', ' ')
    .replace(/\.\d+Z$/, 'Z')
}

// Verifies files of evidence: offline, unless --online is said; with vendors' roots, unless another trust is named.

import { statSync } from 'node:fs'
import { homedir } from 'node:os'
import { basename, extname, join } from 'node:path'
import {
  type AppraisalPolicy,
  collateralMaxAges,
  comparesCode,
  isPresetName,
  mergeReferenceValues,
  NAME_PATTERN,
  PRESETS,
  parsePolicy,
  parseReferenceValues,
  type ReferenceValues,
} from '@casemate/appraisal'
import {
  type EndorsementSource,
  type Endorsements,
  mergeEndorsements,
  nearest,
  type ParsedEvidence,
  readEndorsements,
  type TrustAnchor,
  VENDOR_ANCHORS,
} from '@casemate/evidence'
import type { TcbUpdate } from '@casemate/evidence/node'
import { trustOwnAuthority } from '../broker/authorities.ts'
import type { Answer, Call } from '../command.ts'
import { CliError } from '../failure/cli-error.ts'
import { readDocument, readInput, readObject, STDIN } from '../files/input-files.ts'
import { countOf, readWord } from '../typed/flag-values.ts'
import { readInstant } from '../typed/instant.ts'
import { shellWord } from '../typed/shell-word.ts'
import { endorsementsAt } from './endorsement-files.ts'
import { type Examination, type ExaminationContext, examine } from './examine.ts'
import { examinationJson, examinationLines } from './verdict.ts'

const REQUIRE_CODE = 'CASEMATE_REQUIRE_CODE'

/** The `verify` command. */
export async function verifyFiles(call: Call): Promise<Answer> {
  for (const file of call.positionals) refuseDirectory(file)
  const context = await openContext(call)
  demandCode(call, context.policy)
  const examined: { file: string; examination: Examination }[] = []
  for (const file of call.positionals) {
    const bytes = await readInput(file, call)
    examined.push({
      file,
      examination: await call.terminal.progress(`verifying ${file}`, examine(bytes, context)),
    })
  }
  const situation = {
    at: context.now,
    policy: context.policy,
    isSimulatorTrusted: context.anchors.some(({ simulated }) => simulated),
    palette: call.terminal.palette,
    columns: call.terminal.columns,
  }
  return {
    exitCode: examined.every(({ examination }) => examination.accepted) ? 0 : 1,
    json: { files: examined.map(one => examinationJson(one.file, one.examination, situation)) },
    lines: examined.flatMap((one, index) => [
      ...(index === 0 ? [] : ['']),
      ...examinationLines(one.file, one.examination, situation),
    ]),
  }
}

/** As where a second path follows one flag: `--endorsements collateral roots`. */
function refuseDirectory(file: string): void {
  if (file === STDIN || statSync(file, { throwIfNoEntry: false })?.isDirectory() !== true) return
  throw new CliError('argument-unexpected', `${file} is a directory, want a file of evidence`, {
    hint: `a directory of endorsements needs the flag before it, each its own: --endorsements ${shellWord(file)}`,
  })
}

/** So that a script cannot accept what was compared with nothing: asked for by flag or, for a whole machine, variable. */
function demandCode(call: Call, policy: AppraisalPolicy): void {
  const variable = call.terminal.env[REQUIRE_CODE] ?? 'false'
  if (variable !== 'true' && variable !== 'false') {
    throw new CliError('flag-value-invalid', `${REQUIRE_CODE} is ${variable}, want true or false`)
  }
  const open = policy.kinds.filter(kind => !comparesCode(policy, kind))
  if ((variable === 'false' && !call.given('require-code')) || open.length === 0) return
  const by = call.given('require-code') ? '--require-code' : `${REQUIRE_CODE}=true`
  const got =
    call.options('references').length === 0 && isPresetName(policyFlag(call))
      ? 'neither --references nor a --policy of its own is given'
      : `the policy ${policy.name} says workloads: any and does not say which code it wants for ${open.join(', ')}`
  throw new CliError('code-not-compared', `${by} demands that code is compared, and ${got}`, {
    hint: 'give --references FILE, or a --policy FILE with workloads: known, names of workloads, or kinds that it names code for (of tdx mrTd, rtmr1 and rtmr2)',
  })
}

/** What the flags of verification say. @throws {CliError} file-not-readable, file-malformed, flag-value-invalid */
export async function openContext(call: Call): Promise<ExaminationContext> {
  const now = timeOf(call)
  const trusts = await Promise.all(call.options('trust').map(path => readTrust(path, call)))
  const given = mergeEndorsements(
    endorsementsAt(call.options('endorsements'), call.terminal.note),
    readEndorsements(trusts.flatMap(trust => trust.endorsements)),
  )
  const references = await referencesOf(call)
  const policy = await policyOf(call, references !== null)
  return {
    now,
    anchors: [...VENDOR_ANCHORS, ...trusts.flatMap(trust => trust.anchors)],
    policy,
    references: references ?? mergeReferenceValues(),
    endorsementsFor: await endorsementsOf(call, given, policy),
  }
}

export function timeOf(call: Call): Date {
  const typed = call.option('at')
  if (typed === null) return call.terminal.now()
  const at = readInstant(typed)
  if (at !== null) return at
  throw new CliError('flag-value-invalid', `--at is ${typed}, want a date, or a time with its zone`, {
    hint: 'e.g. 2025-06-30 or 2025-06-30T12:00:00Z',
  })
}

interface Trust {
  readonly anchors: readonly TrustAnchor[]
  readonly endorsements: readonly EndorsementSource[]
}

/** A simulator's public half; whatever the file says, it is trusted as simulated only. */
async function readTrust(path: string, call: Call): Promise<Trust> {
  const { readPublicTrust } = await import('@casemate/simulator')
  try {
    return readPublicTrust(await readDocument(path, call))
  } catch (cause) {
    if (cause instanceof CliError) throw cause
    throw new CliError('file-malformed', `${path} is not a simulator’s public trust`, {
      hint: '.casemate/simulator/public-trust.json is one, after casemate up --tour',
      cause,
    })
  }
}

async function referencesOf(call: Call): Promise<ReferenceValues | null> {
  const paths = call.options('references')
  if (paths.length === 0) return null
  const documents = await Promise.all(paths.map(path => readObject(path, call)))
  return mergeReferenceValues(...documents.map(parseReferenceValues))
}

function policyFlag(call: Call): string {
  return call.option('policy') ?? 'strict'
}

/** Without reference values the preset compares everything but the code; a policy of one's own is taken as it is. */
async function policyOf(call: Call, withReferences: boolean): Promise<AppraisalPolicy> {
  const typed = policyFlag(call)
  if (!isPresetName(typed))
    return parsePolicy({ name: nameFor(typed), version: 1, ...(await readPolicy(typed, call)) })
  if (withReferences) return PRESETS[typed]
  return parsePolicy({ extends: typed, name: typed, version: PRESETS[typed].version, workloads: 'any' })
}

/** As the broker calls a policy by what it is stored as: by its file, unless verdicts would take that for a preset or a word. */
function nameFor(file: string): string {
  const name = basename(file, extname(file))
  return new RegExp(NAME_PATTERN).test(name) && !isPresetName(name) ? name : 'own'
}

/** Whoever means a preset and slips has no file of that name. */
async function readPolicy(typed: string, call: Call): Promise<Readonly<Record<string, unknown>>> {
  try {
    return await readObject(typed, call)
  } catch (error) {
    const near = nearest(typed, Object.keys(PRESETS))
    if (!(error instanceof CliError) || error.code !== 'file-not-readable' || near === null) throw error
    throw new CliError(error.code, error.message, { hint: `did you mean the preset ${near}?`, cause: error })
  }
}

async function endorsementsOf(
  call: Call,
  given: Endorsements,
  policy: AppraisalPolicy,
): Promise<ExaminationContext['endorsementsFor']> {
  const online = call.given('online')
  const cache = call.option('offline-cache')
  const update = tcbUpdateOf(call, online || cache !== null)
  if (!online && cache === null) return async () => given
  if (online) trustOwnAuthority(call)
  const { openEndorsementFetcher } = await import('@casemate/evidence/node')
  const { env, now, fetch, progress } = call.terminal
  const fetcher = openEndorsementFetcher({
    cacheDir: cache ?? join(env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'casemate', 'endorsements'),
    offline: !online,
    update,
    ...addressOf('pcsUrl', env['CASEMATE_PCS_URL']),
    ...addressOf('kdsUrl', env['CASEMATE_KDS_URL']),
    fetch,
    now,
  })
  return async (evidence: ParsedEvidence) => {
    const fetched = fetcher.fetchFor(evidence, null, collateralMaxAges(policy))
    return mergeEndorsements(given, await progress('fetching collateral from the vendor', fetched))
  }
}

/** Which of Intel's editions is fetched. @throws {CliError} flag-value-invalid, flag-value-unwanted */
function tcbUpdateOf(call: Call, fetches: boolean): TcbUpdate {
  const update = readWord('tcb-update', call.option('tcb-update'), ['standard', 'early'])
  const number = countOf(call, 'tcb-evaluation-data-number')
  const [name, other] = ['tcb-update', 'tcb-evaluation-data-number'].filter(flag => call.given(flag))
  if (other !== undefined) {
    throw new CliError('flag-value-unwanted', `--${name} and --${other} exclude each other`, {
      hint: 'Intel’s service takes one of them: the number names one edition, the update the newest or the enforced one',
    })
  }
  if (name !== undefined && !fetches) {
    throw new CliError('flag-value-unwanted', `--${name} is about what is fetched, and nothing is`, {
      hint: 'with --online; files of --endorsements are of the edition that they are',
    })
  }
  return number ?? update
}

function addressOf<Name extends string>(name: Name, url: string | undefined): Partial<Record<Name, string>> {
  return url === undefined ? {} : ({ [name]: url } as Record<Name, string>)
}

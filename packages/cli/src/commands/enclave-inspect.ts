// casemate enclave inspect: what the world will see of an enclave, ours or one of the SGX SDK.

import {
  checkCodeOf,
  EnclaveError,
  type EnclaveImage,
  isEnclaveImage,
  recogniseSigstructs,
  type Sigstruct,
  verifyImage,
  verifySigstruct,
} from '@casemate/enclave'
import type { Answer, Command } from '../command.ts'
import { IMAGE_LIMIT_BYTES, readBytes } from '../files/input-files.ts'
import { noImage, parseImageOf } from '../images/image-files.ts'
import { mark } from '../terminal/marks.ts'
import { fields } from '../terminal/table.ts'
import type { Palette } from '../terminal/terminal.ts'
import { manifestRows } from './enclave-build.ts'

export const INSPECT_COMMAND: Command = {
  words: ['enclave', 'inspect'],
  summary: 'show what the world will see of an enclave, and check its signature',
  usage: 'FILE',
  minimum: 1,
  maximum: 1,
  flags: {},
  notes: [
    'FILE is an image of ours, a SIGSTRUCT (.sig), or a signed enclave of the SGX SDK (.signed.so).',
    'Exit code 1 where a signature does not hold, or the code is not what the manifest says.',
  ],
  examples: ['casemate enclave inspect greet.enclave', 'casemate enclave inspect app.sig --json'],
  run: async call => {
    const [file = ''] = call.positionals
    const bytes = readBytes(file, IMAGE_LIMIT_BYTES)
    const { palette } = call.terminal
    if (isEnclaveImage(bytes)) return inspectImage(parseImageOf(file, bytes), palette)
    return inspectSigstructs(sigstructsOf(file, bytes), palette)
  },
}

function sigstructsOf(file: string, bytes: Uint8Array): readonly Sigstruct[] {
  try {
    return recogniseSigstructs(bytes)
  } catch (error) {
    throw error instanceof EnclaveError && error.code === 'invalid-image' ? noImage(file, bytes) : error
  }
}

/** One thing that was checked; `problem` is why it failed. */
interface Check {
  readonly what: string
  readonly problem: EnclaveError | null
}

async function inspectImage(image: EnclaveImage, palette: Palette): Promise<Answer> {
  const { manifest, mrEnclave, sigstruct } = image
  const checks: Check[] = [
    await check('the code exports and imports what the manifest says', () => checkCodeOf(image)),
  ]
  if (sigstruct !== null) {
    checks.unshift(await check('signed, for this measurement and identity', () => verifyImage(image)))
  }
  const rows = [
    ['name', manifest.name],
    ['measurement', hex(mrEnclave)],
    ['signer', sigstruct === null ? 'nobody yet: casemate enclave sign' : hex(sigstruct.mrSigner)],
    ['signed on', sigstruct === null ? '-' : day(sigstruct.date)],
    ...manifestRows(manifest),
  ] as const
  return {
    exitCode: failed(checks) ? 1 : 0,
    json: {
      kind: 'image',
      measurement: hex(mrEnclave),
      signature: sigstruct === null ? null : sigstructJson(sigstruct),
      manifest,
      codeSize: image.code.length,
      checks: checks.map(checkJson),
    },
    lines: [...fields(rows), ...checkLines(checks, palette)],
  }
}

async function inspectSigstructs(sigstructs: readonly Sigstruct[], palette: Palette): Promise<Answer> {
  const inspected = await Promise.all(
    sigstructs.map(async sigstruct => ({
      sigstruct,
      checks: [await check('signed by the key that it carries', () => verifySigstruct(sigstruct))],
    })),
  )
  return {
    exitCode: inspected.some(({ checks }) => failed(checks)) ? 1 : 0,
    json: {
      kind: 'sigstruct',
      sigstructs: inspected.map(({ sigstruct, checks }) => ({
        ...sigstructJson(sigstruct),
        checks: checks.map(checkJson),
      })),
    },
    lines: inspected.flatMap(({ sigstruct, checks }) => [
      ...fields(sigstructRows(sigstruct)),
      ...checkLines(checks, palette),
    ]),
  }
}

function sigstructRows(sigstruct: Sigstruct): (readonly [string, string])[] {
  const { attributes, attributeMask } = sigstruct
  return [
    ['measurement', hex(sigstruct.enclaveHash)],
    ['signer', hex(sigstruct.mrSigner)],
    ['signed on', day(sigstruct.date)],
    ['vendor', sigstruct.vendor === INTEL ? 'Intel' : 'not Intel'],
    ['product id', String(sigstruct.isvProdId)],
    ['security version', String(sigstruct.isvSvn)],
    ['debug', sigstruct.debug ? 'YES: the host may look inside, it keeps no secret' : debugOf(sigstruct)],
    ['attributes', `0x${attributes.flags.toString(16)}, mask 0x${attributeMask.flags.toString(16)}`],
    ['xfrm', `0x${attributes.xfrm.toString(16)}, mask 0x${attributeMask.xfrm.toString(16)}`],
  ]
}

const INTEL = 0x8086
const DEBUG_BIT = 2n

/** A bit that the mask leaves out is for whoever starts the enclave to set. */
function debugOf({ attributeMask }: Sigstruct): string {
  return (attributeMask.flags & DEBUG_BIT) === 0n ? 'as started: the signer does not insist' : 'no'
}

function sigstructJson(sigstruct: Sigstruct): Record<string, unknown> {
  const { date, vendor, isvProdId, isvSvn, debug, attributes, attributeMask } = sigstruct
  const hex64 = (value: bigint): string => value.toString(16).padStart(16, '0')
  return {
    mrEnclave: hex(sigstruct.enclaveHash),
    mrSigner: hex(sigstruct.mrSigner),
    date,
    vendor,
    isvProdId,
    isvSvn,
    debug,
    attributes: { flags: hex64(attributes.flags), xfrm: hex64(attributes.xfrm) },
    attributeMask: { flags: hex64(attributeMask.flags), xfrm: hex64(attributeMask.xfrm) },
  }
}

async function check(what: string, run: () => unknown): Promise<Check> {
  try {
    await run()
    return { what, problem: null }
  } catch (error) {
    if (error instanceof EnclaveError) return { what, problem: error }
    throw error
  }
}

function failed(checks: readonly Check[]): boolean {
  return checks.some(({ problem }) => problem !== null)
}

function checkJson({ what, problem }: Check): Record<string, unknown> {
  return {
    what,
    passed: problem === null,
    ...(problem === null ? {} : { code: problem.code, why: problem.message }),
  }
}

function checkLines(checks: readonly Check[], palette: Palette): string[] {
  return checks.map(({ what, problem }) =>
    mark(problem === null, problem === null ? what : `${problem.code}: ${problem.message}`, palette),
  )
}

/** `20261125` as `2026-11-25`. */
export function day(date: string): string {
  return `${date.slice(0, 4)}-${date.slice(4, 6)}-${date.slice(6)}`
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex')
}

// The party that seals or opens: the owner of the data, who holds the data key, or an enclave, whose root gives the key.

import type { SealingIdentity, SealingPolicy, UnsealOptions } from '@casemate/enclave'
import type { Call, Flag } from '../command.ts'
import { CliError } from '../failure/cli-error.ts'
import { readWord } from '../typed/flag-values.ts'
import { readImage } from './images.ts'
import { createKeyFile, readKeyFile } from './key-file.ts'
import { openRoot, ROOTS, type RootName } from './roots.ts'

export const POLICIES = ['mrEnclave', 'mrSigner'] as const satisfies readonly SealingPolicy[]

/** Of both parties. */
export const PARTY_FLAGS = {
  'key-file': { value: 'FILE', summary: 'as the owner: the data key, 32 bytes, mode 0600' },
  for: { value: 'IMAGE', summary: 'as the owner: the enclave that it is for' },
  image: { value: 'IMAGE', summary: 'as an enclave: which one; its signature is checked' },
  root: { value: 'ROOT', takes: ROOTS, summary: `as an enclave: ${ROOTS.join(', ')}` },
  'key-path': { value: 'PATH', summary: 'root broker: the data key there, REPOSITORY/TYPE/TAG' },
  debug: { summary: 'the image is a debug one, whose host can read everything' },
} as const satisfies Record<string, Flag>

const OWNER_ONLY = ['key-file', 'for'] as const
const ENCLAVE_ONLY = ['image', 'root', 'key-path', 'server', 'kind', 'code', 'simulator'] as const

/** Which of the two was meant. @throws {CliError} flag-value-invalid, argument-missing */
export function isOwner(call: Call, more: readonly string[] = []): boolean {
  const owner = [...OWNER_ONLY, ...more].find(flag => call.given(flag))
  const enclave = ENCLAVE_ONLY.find(flag => call.given(flag))
  if (owner !== undefined && enclave !== undefined) {
    throw new CliError('flag-value-invalid', `--${owner} and --${enclave} exclude each other`, {
      hint: 'the owner has --key-file; an enclave has --image and --root',
    })
  }
  if (owner === undefined && enclave === undefined) {
    throw new CliError('argument-missing', '--key-file FILE is missing', {
      hint: 'or, as an enclave, --image IMAGE --root ROOT',
    })
  }
  return owner !== undefined
}

/** @throws {CliError} argument-missing */
export function needed(call: Call, flag: string, hint: string): string {
  const typed = call.option(flag)
  if (typed !== null) return typed
  throw new CliError('argument-missing', `--${flag} is missing`, { hint })
}

/** The key of the owner, made first if that is wanted. */
export function ownerRoot(call: Call): UnsealOptions['root'] {
  const path = needed(call, 'key-file', 'casemate seal --new-key --key-file data.key … makes one')
  if (call.given('new-key')) {
    createKeyFile(path)
    call.terminal.note(`${path}: a new data key; casemate secret put REPOSITORY/TYPE/TAG ${path} stores it`)
  }
  return readKeyFile(path)
}

/** The enclave that this process says it runs, with its root. */
export async function enclaveParty(call: Call, mayCreate: boolean): Promise<UnsealOptions> {
  const path = needed(call, 'image', 'the enclave whose key it is to be')
  const name = rootOf(call, 'root')
  const keyPath = keyPathOf(call, { flag: 'key-path', names: [name] })
  const { identity, statement } = readImage(path, call)
  return { root: await openRoot(call, { name, keyPath, mayCreate }, statement), identity }
}

/** @throws {CliError} argument-missing, flag-value-invalid */
export function rootOf(call: Call, flag: string): RootName {
  return readWord(flag, needed(call, flag, `one of ${ROOTS.join(', ')}`), ROOTS)
}

interface KeyPathFlag {
  readonly flag: string
  readonly names: readonly RootName[]
}

/** A path where a broker is among the roots, and none elsewhere. @throws {CliError} argument-missing, flag-value-invalid */
export function keyPathOf(call: Call, { flag, names }: KeyPathFlag): string | null {
  if (names.includes('broker'))
    return needed(call, flag, 'where the broker has the data key: REPOSITORY/TYPE/TAG')
  if (!call.given(flag)) return null
  throw new CliError('flag-value-invalid', `--${flag} is for the root broker`)
}

const HEX_32 = /^[0-9a-f]{64}$/i

/** Every product and version of a signer has this identity to what the owner seals for it. @throws {CliError} flag-value-invalid */
export function signerIdentity(call: Call, signer: string): SealingIdentity {
  if (!HEX_32.test(signer)) {
    throw new CliError('flag-value-invalid', `--for-signer is ${signer}, want 64 hex digits`, {
      hint: 'casemate enclave inspect shows the signer',
    })
  }
  return {
    mrEnclave: new Uint8Array(32),
    mrSigner: new Uint8Array(Buffer.from(signer, 'hex')),
    isvProdId: uint16(call, 'product-id'),
    isvSvn: uint16(call, 'svn'),
    debug: call.given('debug'),
  }
}

function uint16(call: Call, flag: string): number {
  const typed = call.option(flag) ?? '0'
  if (/^\d{1,5}$/.test(typed) && Number(typed) <= 0xffff) return Number(typed)
  throw new CliError('flag-value-invalid', `--${flag} is ${typed}, want a number from 0 to 65535`)
}

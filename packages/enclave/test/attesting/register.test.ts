// RTMR3: extended once with the enclave, and only while it shows nothing else.
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import {
  encodeStatement,
  extendedRegister,
  parse,
  parseStatement,
  readEndorsements,
  verify,
  verifyEnclave,
} from '@casemate/evidence'
import { createIntelPlatform } from '@casemate/simulator'
import type { PlatformFiles } from '../../src/attesting/platform-files.ts'
import { extendRegister, REGISTER_FILE } from '../../src/attesting/register.ts'
import { openTsmDriver } from '../../src/attesting/tsm.ts'
import { encodeImage, parseImage } from '../../src/image/image.ts'
import { signImage } from '../../src/image/sign.ts'
import { rejectsCode } from '../expect-code.ts'
import { DATE, SIGNING } from '../image/keys.ts'
import { EMPTY_MODULE, MANIFEST } from '../image/samples.ts'
import { errno, TsmKernel } from './kernel.ts'

const NOW = new Date('2026-11-25T12:00:00Z')

function statementOf(isvSvn: number) {
  const image = encodeImage({ ...MANIFEST, isvSvn }, EMPTY_MODULE)
  const { sigstruct } = parseImage(signImage(image, { ...DATE, privateKey: SIGNING.privateKey }))
  assert.ok(sigstruct)
  return { sigstruct: sigstruct.bytes }
}

const STATEMENT = statementOf(3)
const OTHER = statementOf(4)
const sha384 = (...parts: Uint8Array[]): Uint8Array =>
  new Uint8Array(createHash('sha384').update(Buffer.concat(parts)).digest())

/** As the kernel's: 48 bytes, and a write of 48 bytes extends. */
class Register {
  value: Uint8Array = new Uint8Array(48)
  writes = 0
  meanwhile: (() => void) | null = null

  readonly read = async (path: string): Promise<Uint8Array> => {
    if (path !== `/${REGISTER_FILE}`) throw errno('ENOENT')
    return this.value.slice()
  }

  readonly write = async (path: string, bytes: Uint8Array): Promise<void> => {
    if (path !== `/${REGISTER_FILE}`) throw errno('ENOENT')
    if (bytes.length !== 48) throw errno('EINVAL')
    this.meanwhile?.()
    this.extend(bytes)
    this.writes++
  }

  extend(digest: Uint8Array): void {
    this.value = sha384(this.value, digest)
  }
}

const withRegister = ({ read, write }: Pick<Register, 'read' | 'write'>): PlatformFiles =>
  new TsmKernel({ provider: 'tdx_guest', sign: () => new Uint8Array() }).but({ read, write })

test('a fresh register is extended once with SHA-384 of the SIGSTRUCT, however often a process starts', async () => {
  const register = new Register()
  for (let start = 0; start < 3; start++) {
    assert.equal(await extendRegister(withRegister(register), '/', STATEMENT), 'extended')
  }
  assert.equal(register.writes, 1)
  assert.deepEqual(register.value, sha384(new Uint8Array(48), sha384(STATEMENT.sigstruct)))
  assert.deepEqual(register.value, new Uint8Array(await extendedRegister(STATEMENT)))
})

test('a register that shows another enclave, or anything else, is left as it is', async () => {
  const register = new Register()
  await extendRegister(withRegister(register), '/', OTHER)
  assert.equal(await extendRegister(withRegister(register), '/', STATEMENT), 'taken')
  assert.equal(register.writes, 1)
})

test('somebody who extends between our look and our write is not overlooked', async () => {
  const register = new Register()
  register.meanwhile = () => register.extend(new Uint8Array(48).fill(6))
  assert.equal(await extendRegister(withRegister(register), '/', STATEMENT), 'taken')
})

test('a kernel without the file has no register', async () => {
  const read = async (): Promise<never> => Promise.reject(errno('ENOENT'))
  assert.equal(await extendRegister(withRegister({ read, write: read }), '/', STATEMENT), 'absent')
})

test('a register that may not be read or extended, or has another size, is a failure', async () => {
  const register = new Register()
  const refuse = async (): Promise<never> => Promise.reject(errno('EACCES'))
  await rejectsCode(
    'attestation-failed',
    extendRegister(withRegister({ read: refuse, write: refuse }), '/', STATEMENT),
  )
  await rejectsCode(
    'attestation-failed',
    extendRegister(withRegister({ read: register.read, write: refuse }), '/', STATEMENT),
  )
  register.value = new Uint8Array(32)
  await rejectsCode('attestation-failed', extendRegister(withRegister(register), '/', STATEMENT))
})

test('the verifier recognises what the driver extended, in evidence of the same machine', async () => {
  const register = new Register()
  const intel = await createIntelPlatform({ now: NOW })
  const kernel = new TsmKernel({
    provider: 'tdx_guest',
    sign: reportData => intel.tdxQuote({ reportData, rtmr3: register.value }),
  })
  const isRegister = (path: string): boolean => path === `/${REGISTER_FILE}`
  const files = kernel.but({
    read: (path, max) => (isRegister(path) ? register.read(path) : kernel.read(path, max)),
    write: (path, bytes) => (isRegister(path) ? register.write(path, bytes) : kernel.write(path, bytes)),
  })
  const driver = openTsmDriver({ provider: 'tdx_guest', files })
  assert.equal(await driver.extendRegister?.(STATEMENT), 'extended')
  const { evidence } = await driver.quote(new Uint8Array(64))
  const options = { now: NOW, anchors: intel.anchors, minTcbEvaluationDataNumber: 'any' } as const
  const verified = await verify(parse(evidence), readEndorsements(intel.endorsements), options)
  const stated = await verifyEnclave(verified, parseStatement(encodeStatement(STATEMENT)))
  assert.equal(stated.claims.enclave?.register, 'extended')
  assert.equal((await verifyEnclave(verified, OTHER)).claims.enclave?.register, 'not-extended')
})

test('an SNP guest has no register to extend', () => {
  assert.equal(openTsmDriver({ provider: 'sev_guest' }).extendRegister, undefined)
})

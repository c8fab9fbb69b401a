// Every captured item of Intel's collateral: TCB info, identities, evaluation numbers, revocation lists; and the
// malformed ones of other projects' test suites. Needs the vectors outside of the repository.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { VENDOR_ANCHORS } from '../../src/anchors.ts'
import { verifyChain } from '../../src/chain.ts'
import { parseCrl } from '../../src/crl.ts'
import type { Endorsements } from '../../src/endorsements.ts'
import { readEndorsements } from '../../src/read-endorsements.ts'
import { Refusal, type RefusalCode } from '../../src/refusal.ts'
import { isSignedBy, type Signed } from '../../src/signature.ts'
import type { Certificate } from '../../src/x509.ts'
import { intelCertificates, listVectorFiles, readJson, readVectorFile, skipVectors } from './vectors.ts'

interface Entry {
  readonly file: string
  readonly kind: string
  readonly signature_verified: boolean
  readonly id?: string
  readonly version?: number
  readonly evalnum?: number
  readonly fmspc?: string | null
  readonly issueDate?: string
  readonly nextUpdate?: string
  readonly revoked?: number
}

const INDEX = skipVectors === false ? (readJson('collateral/intel/index.json') as readonly Entry[]) : []
const certificates: readonly Certificate[] =
  skipVectors === false ? readEndorsements(intelCertificates()).certificates : []
const intelAnchors = VENDOR_ANCHORS.filter(({ vendor }) => vendor === 'intel')

function read(file: string): Endorsements {
  return readEndorsements([{ name: file, bytes: readVectorFile(file) }])
}

async function isSignedByOneOf(signed: Signed, phrase: string): Promise<boolean> {
  for (const { commonName, spki } of certificates) {
    if (commonName.includes(phrase) && (await isSignedBy(signed, spki))) return true
  }
  return false
}

function codeOf(work: () => unknown): RefusalCode | null {
  try {
    work()
  } catch (error) {
    assert.ok(error instanceof Refusal, String(error))
    return error.code
  }
  return null
}

test('the pinned key is that of both editions of Intel’s root', async t => {
  if (skipVectors !== false) return t.skip(skipVectors)
  const roots = certificates.filter(({ commonName }) => commonName === 'Intel SGX Root CA')
  assert.equal(roots.length, 2)
  for (const root of roots) {
    const chain = await verifyChain(root, { pool: [], anchors: intelAnchors, now: root.notBefore })
    assert.equal(chain.anchor.name, 'Intel SGX Root CA')
  }
})

test('every signed document reads as its index says, and is signed by Intel’s TCB signing key', async t => {
  if (skipVectors !== false) return t.skip(skipVectors)
  const documents = INDEX.filter(({ file }) => file.endsWith('.json'))
  assert.ok(documents.length > 100)
  for (const entry of documents) {
    const { tcbInfos, enclaveIdentities, tcbEvaluationNumbers } = read(entry.file)
    const all = [...tcbInfos, ...enclaveIdentities, ...tcbEvaluationNumbers]
    assert.equal(all.length, 1, entry.file)
    const [document] = all
    assert.ok(document)
    assert.equal(document.issueDate, Date.parse(entry.issueDate ?? ''), entry.file)
    assert.equal(document.nextUpdate, Date.parse(entry.nextUpdate ?? ''), entry.file)
    if (document.kind === 'tcb-info') {
      assert.equal(document.tee.toUpperCase(), entry.id ?? 'SGX')
      assert.equal(document.version, entry.version)
      assert.equal(document.fmspc, entry.fmspc?.toLowerCase())
      assert.equal(document.evaluationNumber, entry.evalnum)
    }
    if (document.kind === 'enclave-identity') {
      assert.equal(document.id, entry.id)
      assert.equal(document.evaluationNumber, entry.evalnum)
    }
    assert.equal(await isSignedByOneOf(document, 'TCB Signing'), entry.signature_verified, entry.file)
  }
})

test('levels are served from the newest down, which is the order in which they are tried', t => {
  if (skipVectors !== false) return t.skip(skipVectors)
  for (const { file } of INDEX.filter(({ kind }) => kind === 'tcbInfo')) {
    const [info] = read(file).tcbInfos
    assert.ok(info)
    // A level that reaches every component of an earlier one would never be found.
    for (const [index, level] of info.levels.entries()) {
      const isShadowed = info.levels.slice(0, index).some((earlier): boolean => {
        const reachesSgx = earlier.sgxComponents.every((svn, at) => (level.sgxComponents[at] ?? 0) >= svn)
        const reachesTdx = (earlier.tdxComponents ?? []).every(
          (svn, at) => (level.tdxComponents?.[at] ?? 0) >= svn,
        )
        return reachesSgx && reachesTdx && level.pceSvn >= earlier.pceSvn
      })
      assert.equal(isShadowed, false, `${file}, level ${index}`)
    }
  }
})

test('every revocation list reads as OpenSSL reads it, and is signed by the authority of its name', async t => {
  if (skipVectors !== false) return t.skip(skipVectors)
  for (const name of listVectorFiles('collateral/intel/crl')) {
    const file = `collateral/intel/crl/${name}`
    const crl = parseCrl(readVectorFile(file))
    const entry = INDEX.find(it => it.file === file)
    assert.ok(entry, file)
    if (entry.revoked !== undefined) assert.equal(crl.revoked.size, entry.revoked, file)
    const authority = name.startsWith('root') ? 'Root CA' : 'PCK'
    assert.equal(await isSignedByOneOf(crl, authority), !name.includes('UNTRUSTED'), file)
  }
})

/** Samples that their project's reader takes and this one does not, with the reason. */
const STRICTER: ReadonlyMap<string, RegExp> = new Map([
  // PCS has always sent pceId; without it a TCB info could be used for another certification enclave.
  ['oe-tcbInfo.json', /pceId/],
  ['oe-tcbInfoAdvisoryIds.json', /pceId/],
])

test('malformed documents of other projects’ suites are refused as malformed', t => {
  if (skipVectors !== false) return t.skip(skipVectors)
  const entries = readJson('collateral/intel/negative/index.json') as readonly {
    file: string
    expect: string
  }[]
  for (const { file, expect } of entries.filter(({ file }) => file.endsWith('.json'))) {
    const name = file.split('/').at(-1) ?? ''
    const stricter = STRICTER.get(name)
    if (stricter) assert.throws(() => read(file), { code: 'endorsement-malformed', message: stricter }, file)
    else
      assert.equal(
        codeOf(() => read(file)),
        expect.startsWith('parses OK') ? null : 'endorsement-malformed',
        file,
      )
  }
})

test('documents in a shape that no service of Intel’s sends are not recognised', t => {
  if (skipVectors !== false) return t.skip(skipVectors)
  for (const name of ['fortanix-corrupted-00906ea10000.tcb', 'fortanix-corrupted-qe3_identity.id']) {
    assert.equal(
      codeOf(() => read(`collateral/intel/negative/${name}`)),
      'endorsement-malformed',
    )
  }
})

test('a TCB signing chain with a wrong certificate leads to no root', async t => {
  if (skipVectors !== false) return t.skip(skipVectors)
  const bad = read('collateral/intel/negative/oasis-tcb-certs-bad.pem').certificates
  const signer = bad.find(({ commonName }) => commonName.includes('TCB Signing'))
  const [first] = bad
  assert.ok(first)
  const leaf = signer ?? first
  const chain = await verifyChain(leaf, { pool: bad, anchors: intelAnchors, now: leaf.notBefore }).catch(
    (error: unknown) => error,
  )
  // Either nothing chains, or what chains is an authority of PCKs and signs no TCB info.
  if (!(chain instanceof Refusal)) assert.equal(signer, undefined)
})

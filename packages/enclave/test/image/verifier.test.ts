// This room signs SIGSTRUCTs, and @casemate/evidence verifies them: both have to say the same of every one.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  parseSigstruct as parseEvidence,
  Refusal,
  verifySigstruct as verifyEvidence,
} from '@casemate/evidence'
import { toHex } from '@casemate/evidence/bytes'
import { EnclaveError } from '../../src/errors.ts'
import { parseImage } from '../../src/image/image.ts'
import { signImage } from '../../src/image/sign.ts'
import { verifySigstruct } from '../../src/image/signature.ts'
import { parseSigstruct } from '../../src/image/sigstruct.ts'
import { DATE, SIGNING } from './keys.ts'
import { PUBLISHED_MR_SIGNER, PUBLISHED_SIGSTRUCT } from './published-sigstruct.ts'
import { IMAGE } from './samples.ts'

function saidHere(bytes: Uint8Array): string {
  try {
    const sigstruct = parseSigstruct(bytes)
    verifySigstruct(sigstruct)
    return toHex(sigstruct.mrSigner)
  } catch (error) {
    assert.ok(error instanceof EnclaveError)
    return 'refused'
  }
}

async function saidThere(bytes: Uint8Array): Promise<string> {
  try {
    return toHex(await verifyEvidence(parseEvidence(bytes)))
  } catch (error) {
    assert.ok(error instanceof Refusal)
    return 'refused'
  }
}

const own = parseImage(signImage(IMAGE, { ...DATE, privateKey: SIGNING.privateKey })).sigstruct?.bytes
for (const [name, bytes] of [
  ['an enclave that Intel’s tools signed', new Uint8Array(PUBLISHED_SIGSTRUCT)],
  ['an image that was signed here', own ?? new Uint8Array()],
] as const) {
  test(`${name} has one signer, whoever reads it, and every change of it is refused by both`, async () => {
    assert.match(saidHere(bytes), /^[0-9a-f]{64}$/)
    assert.equal(await saidThere(bytes), saidHere(bytes))
    for (let at = 0; at < bytes.length; at += 13) {
      const changed = bytes.slice()
      changed[at] = (changed[at] ?? 0) ^ 0x80
      assert.deepEqual([saidHere(changed), await saidThere(changed)], ['refused', 'refused'], `byte ${at}`)
    }
  })
}

test('the signer of a published enclave is the one that its publisher names', async () => {
  assert.equal(await saidThere(new Uint8Array(PUBLISHED_SIGSTRUCT)), PUBLISHED_MR_SIGNER)
})

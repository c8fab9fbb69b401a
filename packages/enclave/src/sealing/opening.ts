// Who may open what, said by the header before any key is derived: a wrong enclave, signer, product, version or root has
// a code of its own. The header is not yet verified then. One that lies gets past this, and to a key that does not fit.
import type { KeyObject } from 'node:crypto'
import { equal, toHex } from '@casemate/evidence/bytes'
import { EnclaveError, type EnclaveErrorCode } from '../errors.ts'
import { checkVersion, deriveSealingKey } from './derive.ts'
import type { SealedHeader } from './header.ts'
import type { SealingIdentity } from './identity.ts'
import type { SealingRoot } from './root.ts'

/** Who opens, and from which root. */
export interface UnsealOptions {
  readonly root: SealingRoot
  readonly identity: SealingIdentity
}

/**
 * The key of something sealed, for whom it is for.
 * @throws {EnclaveError} seal-enclave-mismatch, seal-signer-mismatch, seal-product-mismatch, seal-debug-mismatch,
 * seal-svn-too-new, seal-root-mismatch, seal-cpu-svn-too-new
 */
export function keyToOpen(header: SealedHeader, { root, identity }: UnsealOptions): KeyObject {
  checkIdentity(header, identity)
  checkVersion(header.isvSvn, identity)
  const own = root.ids[header.policy]
  if (!equal(header.rootId, own)) {
    const isKind = header.rootKind === root.kind
    throw new EnclaveError(
      'seal-root-mismatch',
      'sealed under another root than the one that is to open it',
      {
        expected: `${root.kind} ${toHex(own)}`,
        got: `${header.rootKind} ${toHex(header.rootId)}`,
        hint: isKind ? OTHER_KEY[root.kind] : `it needs the root of kind ${header.rootKind}`,
      },
    )
  }
  return deriveSealingKey(root, identity, header)
}

const OTHER_KEY: Readonly<Record<SealingRoot['kind'], string>> = {
  simulated: 'it was sealed under the root file of another installation',
  gramine: 'it was sealed on another machine, or before firmware or microcode changed this one’s keys',
  broker: 'it was sealed with another data key, or another version of it',
}

function checkIdentity({ policy, measurement, isvProdId, debug }: SealedHeader, own: SealingIdentity): void {
  if (policy === 'mrEnclave') {
    expect('seal-enclave-mismatch', 'measurement', toHex(measurement), toHex(own.mrEnclave))
  } else {
    expect('seal-signer-mismatch', 'signer', toHex(measurement), toHex(own.mrSigner))
    expect('seal-product-mismatch', 'product id', String(isvProdId), String(own.isvProdId))
  }
  expect('seal-debug-mismatch', 'debug flag', String(debug), String(own.debug))
}

function expect(code: EnclaveErrorCode, what: string, expected: string, got: string): void {
  if (expected === got) return
  const message = `sealed for the ${what} ${expected}, this enclave’s is ${got}`
  throw new EnclaveError(code, message, { expected, got })
}

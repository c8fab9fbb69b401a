// The enclave that a peer runs, as its evidence vouches for it: on SGX, on TDX, and by a policy that is the same on both.
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { parsePolicy } from '@casemate/appraisal'
import type { EnclaveStatement } from '@casemate/enclave'
import { parseImage } from '@casemate/enclave'
import { makeImage } from '../../../enclave/test/running/modules.ts'
import { type ChannelError, connectAttested, type PeerDemands } from '../../src/index.ts'
import { identityOf, intelMachine, LAPTOP, listenerOf, type Machine, rejectsCode } from '../fixtures.ts'

const image = parseImage(makeImage())
const STATEMENT: EnclaveStatement = { sigstruct: image.sigstruct!.bytes }

async function listening(
  t: TestContext,
  machine: Machine,
  statement: EnclaveStatement | null,
): Promise<{ host: string; port: number; peer: PeerDemands }> {
  const identity = await identityOf(t, machine.driver, { statement })
  const listener = await listenerOf(t, identity)
  return { ...listener, peer: machine.demands }
}

/** A policy that wants this measurement. */
const wanting = (peer: PeerDemands, mrEnclave: string): PeerDemands => ({
  ...peer,
  policy: parsePolicy({ ...LAPTOP, enclave: { mrEnclave: [mrEnclave] } }),
})

for (const freshness of ['cached', 'session'] as const) {
  test(`a peer’s enclave is in its claims, and can be demanded (${freshness})`, async t => {
    const machine = await intelMachine('tdx')
    const identity = await identityOf(t, machine.driver, {
      statement: STATEMENT,
      sessionEvidence: 'on-demand',
    })
    const listener = await listenerOf(t, identity)
    const demands = { ...machine.demands, freshness }
    const connection = await connectAttested({ ...listener, peer: demands })
    const { enclave } = connection.peer!.claims
    assert.ok(enclave)
    assert.equal(enclave.measuredBy, 'host')
    assert.match(enclave.mrSigner, /^[0-9a-f]{64}$/)
    await connection.close()
    const again = await connectAttested({ ...listener, peer: wanting(demands, enclave.mrEnclave) })
    assert.equal(again.peer!.result.accepted, true)
    await again.close()
    const other = connectAttested({ ...listener, peer: wanting(demands, '00'.repeat(32)) })
    assert.deepEqual(paths(await rejectsCode('appraisal-refused', other)), ['enclave.mrEnclave'])
  })
}

const paths = ({ violations }: ChannelError): string[] => violations.map(({ path }) => path)

test('a peer that states no enclave is refused where one is demanded', async t => {
  const at = await listening(t, await intelMachine('tdx'), null)
  const error = await rejectsCode(
    'appraisal-refused',
    connectAttested({ ...at, peer: wanting(at.peer, '00'.repeat(32)) }),
  )
  assert.deepEqual(paths(error), ['enclave'])
})

test('a statement whose signature does not hold is refused', async t => {
  const sigstruct = Uint8Array.from(STATEMENT.sigstruct)
  sigstruct[600] = (sigstruct[600] ?? 0) ^ 1
  const at = await listening(t, await intelMachine('tdx'), { sigstruct })
  const error = await rejectsCode('evidence-refused', connectAttested(at))
  assert.equal((error.cause as { code: string }).code, 'enclave-signature-invalid')
})

// The contract of the store and of the database that its ledger is kept in, whichever database that is. Two handles on one
// stand for two processes: neither knows what the other does but from what is stored.
import { after, before, describe } from 'node:test'
import { describeAttestations } from './contract/attestations.ts'
import type { ContractSubject, Handle } from './contract/common.ts'
import { describeDocuments } from './contract/documents.ts'
import { describeKeys } from './contract/keys.ts'
import { describeLog } from './contract/log.ts'
import { describeOnce } from './contract/once.ts'
import { describeReleases } from './contract/releases.ts'
import { describeSecrets } from './contract/secrets.ts'
import { describeTokens } from './contract/tokens.ts'

/** States the contract; `what` names the database. */
export function describeStore(what: string, subject: ContractSubject): void {
  describe(`the store in ${what}`, () => {
    let handles: readonly [Handle, Handle]
    before(async () => {
      const first = await subject.open()
      subject.changes.prepare(first)
      handles = [first, await subject.open()]
    })
    after(async () => {
      for (const handle of handles) await handle.close()
    })
    const both = () => handles
    // In this order: a part may find what those before it left.
    describe('its log', () => describeLog(both, subject))
    describe('its documents', () => describeDocuments(both))
    describe('its secrets', () => describeSecrets(both))
    describe('its attestations', () => describeAttestations(both, subject))
    describe('its releases', () => describeReleases(both))
    describe('its tokens', () => describeTokens(both))
    describe('its keys', () => describeKeys(both))
    describe('what is done once', () => describeOnce(both))
  })
}

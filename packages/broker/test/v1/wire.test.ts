// The client's types and the server's schemas: members, which of them may be absent, and their types. tsc proves it; what
// runs is the part that types cannot say.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type {
  Admin,
  AdminToken,
  Attestation,
  AttestationFilter,
  AttestationSummary,
  BrokerInfo,
  CreatedToken,
  Explanation,
  KeyDescription,
  LedgerEntry,
  ListedDocument,
  NamedDocument,
  Page,
  Recorded,
  ReleaseRule,
  SecretMetadata,
  SecretStored,
} from '@casemate/client'
import type { Static, TSchema } from 'typebox'
import type { AttestationFilter as StoredFilter } from '../../src/store/store.ts'
import type { ListFilter, FullDescribed as ServedAttestation, Summary } from '../../src/v1/attestations.ts'
import type {
  Stored as DocumentStored,
  OrBuiltIn,
  Document as ServedDocument,
} from '../../src/v1/documents.ts'
import type { Explanation as ServedExplanation } from '../../src/v1/explanation.ts'
import type { Info } from '../../src/v1/info.ts'
import type { Key, Retire, Rotate, Rotated } from '../../src/v1/keys.ts'
import type { Entry } from '../../src/v1/ledger.ts'
import { type DryRun, Rule } from '../../src/v1/rules.ts'
import type { Deleted, pageOf } from '../../src/v1/schemas.ts'
import type { Description, Stored } from '../../src/v1/secrets.ts'
import type { Created, NewToken, Token } from '../../src/v1/tokens.ts'
import type { Test, Verify } from '../../src/v1/verify.ts'

/** JSON, of whatever members: what a schema leaves open is open on both sides. */
type Open<T> = T extends (infer Item)[] | readonly (infer Item)[]
  ? readonly Open<Item>[]
  : T extends object
    ? string extends keyof T
      ? 'an object'
      : { readonly [Name in keyof T]: Open<T[Name]> }
    : unknown extends T
      ? 'anything'
      : T

type Same<One, Other> = [Open<One>] extends [Open<Other>]
  ? [Open<Other>] extends [Open<One>]
    ? true
    : { readonly lacks: Open<One>; readonly has: Open<Other> }
  : { readonly lacks: Open<Other>; readonly has: Open<One> }

/** `true` only where the client's type is what the server's schema says. */
type As<Schema extends TSchema, Client> = Same<Static<Schema>, Client>

const ANSWERS: {
  readonly secret: As<typeof Description, Required<SecretMetadata>>
  readonly secretStored: As<typeof Stored, SecretStored>
  readonly document: As<typeof ServedDocument, ListedDocument>
  readonly namedDocument: As<typeof OrBuiltIn, Omit<NamedDocument, 'etag'>>
  readonly documentStored: As<typeof DocumentStored, Recorded & { readonly name: string }>
  readonly attestationSummary: As<typeof Summary, AttestationSummary>
  readonly attestation: As<typeof ServedAttestation, Omit<Attestation, 'explanation'> & { explanation: Told }>
  readonly explanation: As<typeof ServedExplanation, Told>
  readonly entry: As<typeof Entry, LedgerEntry>
  readonly key: As<typeof Key, KeyDescription>
  readonly rotated: As<typeof Rotated, Recorded & { readonly key: KeyDescription }>
  readonly token: As<typeof Token, AdminToken>
  readonly created: As<typeof Created, CreatedToken>
  readonly info: As<typeof Info, BrokerInfo>
  readonly deleted: As<typeof Deleted, Recorded>
  readonly page: As<ReturnType<typeof pageOf<typeof Token>>, Page<AdminToken>>
} = {
  secret: true,
  secretStored: true,
  document: true,
  namedDocument: true,
  documentStored: true,
  attestationSummary: true,
  attestation: true,
  explanation: true,
  entry: true,
  key: true,
  rotated: true,
  token: true,
  created: true,
  info: true,
  deleted: true,
  page: true,
}

/** The client reads violations out of what the server leaves open. */
type Told = Omit<Explanation, 'result'> & { readonly result: Record<string, unknown> | null }

const REQUESTS: {
  readonly rule: As<typeof Rule, ReleaseRule>
  readonly dryRun: As<typeof DryRun, Parameters<Admin['rules']['dryRun']>[1]>
  readonly newToken: As<typeof NewToken, Parameters<Admin['tokens']['create']>[0]>
  readonly rotate: Same<Static<typeof Rotate>['key'], Parameters<Admin['keys']['rotate']>[0]>
  readonly retire: Same<Static<typeof Retire>['version'], Parameters<Admin['keys']['retire']>[0]>
  readonly test: As<typeof Test, Parameters<Admin['policies']['test']>[1]>
  readonly verify: Same<Omit<Static<typeof Verify>, 'policy'>, Omit<Parameters<Admin['verify']>[0], 'policy'>>
  readonly filter: Same<Omit<Static<typeof ListFilter>, 'verdict'>, AttestationFilter>
  readonly storedFilter: Same<StoredFilter, AttestationFilter>
} = {
  rule: true,
  dryRun: true,
  newToken: true,
  rotate: true,
  retire: true,
  test: true,
  verify: true,
  filter: true,
  storedFilter: true,
}

test('the client’s types are the server’s schemas', () => {
  for (const [name, isSame] of Object.entries({ ...ANSWERS, ...REQUESTS })) assert.equal(isSame, true, name)
})

test('a rule demands of everybody what the command demands: which secrets, and what has to be true', () => {
  assert.deepEqual(Rule.required, ['secrets', 'expression'])
})

// Whatever claims say: an appraisal never throws, accepts exactly what violates nothing, and explains itself.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Claims } from '@casemate/evidence'
import * as fc from 'fast-check'
import {
  AppraisalConfigError,
  appraise,
  FACETS,
  PRESETS,
  parsePolicy,
  parseReferenceValues,
  tierOf,
  workloadOf,
} from '../src/index.ts'
import { NOW, SAMPLE, SGX, SNP, TDX, withClaim } from './claims.ts'
import { BINDING, open, PINNED } from './policies.ts'

const references = parseReferenceValues({
  workloads: [SGX, TDX, SNP, SAMPLE].map(claims => workloadOf(claims, 'mine')),
})
const POLICIES = [PRESETS.strict, PRESETS.standard, PINNED, open()]

/** Every path to something in an object. */
function pathsOf(value: object, prefix = ''): string[] {
  return Object.entries(value).flatMap(([key, inner]) => {
    const path = `${prefix}${key}`
    const below = typeof inner === 'object' && inner !== null && !Array.isArray(inner)
    return below ? [path, ...pathsOf(inner as object, `${path}.`)] : [path]
  })
}

const junk = fc.oneof(
  fc.anything({ maxDepth: 2, withBigInt: false }),
  fc.constantFrom('', '0', 'any', 'zz', '__proto__', Number.NaN, -1, null, undefined, [], {}),
  fc.string({ unit: fc.constantFrom(...Array.from('0123456789abcdefABCDEF')), maxLength: 130 }),
)

/** Real claims with any of them replaced by anything. */
const damaged: fc.Arbitrary<Claims> = fc.constantFrom(SGX, TDX, SNP, SAMPLE).chain(claims =>
  fc.array(fc.tuple(fc.constantFrom(...pathsOf(claims)), junk), { maxLength: 4 }).map(changes => {
    let changed: Claims = claims
    for (const [path, value] of changes) {
      try {
        changed = replaced(changed, path, value)
      } catch {
        // An earlier change took the place away.
      }
    }
    return changed
  }),
)

function replaced(claims: Claims, path: string, value: unknown): Claims {
  return withClaim(claims, path, value)
}

test('claims of any shape are judged, never thrown at; accepted is exactly no violations', () => {
  fc.assert(
    fc.property(damaged, fc.constantFrom(...POLICIES), (claims, policy) => {
      const result = appraise({ claims, references, policy, binding: BINDING, now: NOW })
      assert.equal(result.accepted, result.violations.length === 0)
      assert.equal(
        result.checks.filter(({ outcome }) => outcome === 'violated').length,
        result.violations.length,
      )
      const tiers = FACETS.map(facet => tierOf(result.trustVector[facet]))
      assert.ok(result.status === 'none' || tiers.includes(result.status))
      for (const { path, expected, got, hint } of result.violations) {
        assert.ok([path, expected, got, hint].every(text => typeof text === 'string' && text !== ''))
      }
      if (!result.accepted) assert.notEqual(result.status, 'affirming')
      JSON.stringify(result)
    }),
    { numRuns: 2000 },
  )
})

test('a change of one claim of a pinned workload is never accepted, unless it is of no expectation', () => {
  const FREE =
    /^(platform\.(?!sgxType|platformInstanceId|dynamicPlatform|cachedKeys|smtEnabled)|quoteVersion|reportVersion|measurement$|signer$|sgx\.cpuSvn|tdx\.(bodyVersion|teeTcbSvn|mrSignerSeam|seamAttributes|moduleTcbStatus|moduleTcbDate|attributes\.(debug|hgsPlusProf|perfProf|pmtProf))|snp\.(policy\.(abi|debug)|platformInfoBits|authorKeyEnabled|maskChipKey|hostData|reportId|chipId|hardwareIdSource|currentTcb|committedTcb|reportedTcb\.fmc|launchTcb\.fmc|currentVersion|committedVersion|cpuid|cspId|launchMitVector|currentMitVector)|tcbStatus$|tcbDate$|advisoryIds$|tcbEvaluationDataNumber$)/
  for (const claims of [SGX, TDX, SNP]) {
    const { arkCrl: _arkCrl, ...ofIntel } = claims.collateral
    const foreign = claims.kind === 'snp' ? Object.keys(ofIntel) : ['arkCrl']
    const isFree = (path: string) => FREE.test(path) || foreign.some(name => path === `collateral.${name}`)
    for (const path of pathsOf(claims).filter(each => !isFree(each))) {
      const result = appraise({
        claims: withClaim(claims as Claims, path, 'other'),
        references,
        policy: PINNED,
        binding: BINDING,
        now: NOW,
      })
      assert.equal(result.accepted, false, path)
    }
  }
})

test('documents of any shape are accepted or refused with an AppraisalConfigError', () => {
  const leaf = fc.anything({ maxDepth: 2 })
  const document = fc.record(Object.fromEntries(Object.keys(PRESETS.strict).map(name => [name, leaf])), {
    requiredKeys: [],
  })
  fc.assert(
    fc.property(fc.oneof(document, leaf, fc.string()), given => {
      for (const parse of [parsePolicy, parseReferenceValues]) {
        try {
          parse(given)
        } catch (error) {
          assert.ok(error instanceof AppraisalConfigError, String(error))
          assert.ok(error.problems.length > 0)
        }
      }
    }),
    { numRuns: 1000 },
  )
})

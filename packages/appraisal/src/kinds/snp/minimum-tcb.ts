// The lowest firmware that a policy accepts of a SEV-SNP machine: each family of processors has a minimum of its own.

import type { Claims, SnpTcb } from '@casemate/evidence'
import type { ValueOf } from '../../block.ts'
import type { CompiledCheck } from '../../compiled-check.ts'
import { claimReader } from '../../expectation.ts'
import { TRUST } from '../../trust-vector.ts'
import type { DependentChecks } from '../kind.ts'
import type { SNP_POLICY } from './policy.ts'

type MinimumTcbs = ValueOf<typeof SNP_POLICY>['minimumTcb']
type SnpProduct = keyof MinimumTcbs
type MinimumTcb = MinimumTcbs[SnpProduct]

const PRODUCTS = ['Milan', 'Genoa', 'Turin'] as const satisfies readonly SnpProduct[]

/** A family that is none of these is refused. */
export function minimumTcb(own: unknown): (claims: Claims) => DependentChecks {
  const { minimumTcb } = own as ValueOf<typeof SNP_POLICY>
  const compiled = new Map<unknown, DependentChecks>(
    PRODUCTS.map(product => {
      const checks = minimumTcbChecks(product, minimumTcb[product])
      return [product, { checks, isFirmwareKnown: checks.length > 0 }]
    }),
  )
  return claims => compiled.get(productOf(claims)) ?? UNKNOWN_PRODUCT
}

const productOf = claimReader('snp.product')

const UNKNOWN_PRODUCT: DependentChecks = {
  checks: [
    {
      path: 'snp.minimumTcb',
      expected: PRODUCTS.join(' or '),
      facet: 'hardware',
      breach: TRUST.unrecognised,
      read: productOf,
      met: () => false,
      hint: () => 'a processor family that this version does not know',
    },
  ],
  isFirmwareKnown: false,
}

/** The TCBs that must reach the minimum: what signs the report, and what the guest was launched under. */
const TCBS = ['reportedTcb', 'launchTcb'] as const
const COMPONENTS = ['fmc', 'bootloader', 'tee', 'snp', 'microcode'] as const

function minimumTcbChecks(product: SnpProduct, minimum: MinimumTcb): readonly CompiledCheck[] {
  if (minimum === 'any') return []
  const path = `snp.minimumTcb.${product}`
  if (minimum === 'unstated') return [unstatedMinimum(product, path)]
  const wanted: { readonly [C in keyof SnpTcb]?: number | 'any' } = minimum
  return COMPONENTS.flatMap(component => {
    const value = wanted[component]
    if (value === undefined || value === 'any') return []
    return TCBS.map(tcb => ({
      path: `${path}.${component}`,
      expected: `${tcb}.${component} at least ${value}`,
      facet: 'hardware' as const,
      breach: TRUST.contraindicated,
      read: claimReader(`snp.${tcb}.${component}`),
      met: (claim: unknown) => typeof claim === 'number' && claim >= value,
      hint: () =>
        tcb === 'launchTcb'
          ? 'the guest was launched under older firmware; start it again'
          : "update the host's firmware and microcode",
    }))
  })
}

/** AMD publishes no TCB status: without a stated minimum there is nothing to go by. */
function unstatedMinimum(product: SnpProduct, path: string): CompiledCheck {
  const read = claimReader('snp.reportedTcb.bootloader')
  return {
    path,
    expected: `a minimum TCB for ${product}, stated by the policy`,
    facet: 'hardware',
    breach: TRUST.contraindicated,
    read: claims => (claims.kind === 'snp' ? claims.snp.reportedTcb : read(claims)),
    met: () => false,
    hint: claim =>
      `AMD publishes no TCB status; state the minimum, e.g. ${product}: ${pasteable(claim, product)}`,
  }
}

function pasteable(claim: unknown, product: SnpProduct): string {
  const tcb: object = typeof claim === 'object' && claim !== null ? claim : {}
  const svns = new Map<string, unknown>(Object.entries(tcb))
  const names = product === 'Turin' ? COMPONENTS : COMPONENTS.slice(1)
  const shown = names.map(name => {
    const svn = svns.get(name)
    return `${name}: ${typeof svn === 'number' ? svn : 'any'}`
  })
  return `{ ${shown.join(', ')} }`
}

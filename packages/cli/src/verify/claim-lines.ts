// Of an attestation, everything that a rule can name, by the path that a rule names it by; and how the evidence differs
// from the workload that comes closest.

import { RESULT_FIELDS } from '@casemate/appraisal'
import type { Explanation } from '@casemate/client'
import { printable } from '../terminal/printable.ts'
import { fields } from '../terminal/table.ts'

/** `claims.tdx.rtmr0  "ab…"`: each as a rule compares it. Empty if nothing was verified. */
export function claimLines({ claims, result }: Explanation): string[] {
  if (claims === null) return []
  const rows = [...leaves('claims', claims), ...leaves('result', namedPart(result))]
  return ['', 'what a rule can name', ...fields(rows, '  ')]
}

function namedPart(result: unknown): unknown {
  if (typeof result !== 'object' || result === null) return null
  return Object.fromEntries(Object.entries(result).filter(([name]) => Object.hasOwn(RESULT_FIELDS, name)))
}

function leaves(path: string, value: unknown): readonly (readonly [string, string])[] {
  if (Array.isArray(value) && value.some(item => typeof item === 'object')) {
    return value.flatMap((item, index) => leaves(`${path}[${index}]`, item))
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return [[path, printable(JSON.stringify(value))]]
  }
  return Object.entries(value).flatMap(([name, member]) => {
    const step = /^\w+$/.test(name) ? `.${name}` : `[${JSON.stringify(name)}]`
    return leaves(path + step, member)
  })
}

/** The registers in which the evidence is another than the closest workload; empty where one matched. */
export function differenceLines(result: unknown): string[] {
  const closest: unknown =
    typeof result === 'object' && result !== null ? Reflect.get(result, 'closestReference') : null
  if (typeof closest !== 'object' || closest === null) return []
  const { workload, differs } = closest as { workload?: unknown; differs?: unknown }
  const lines = (Array.isArray(differs) ? differs : []).flatMap((one: Record<string, unknown>) => [
    `  ${printable(String(one['field']))}`,
    `      expected  ${printable(String(one['expected']))}`,
    `      got       ${printable(String(one['got']))}`,
  ])
  return [
    '',
    `where it differs from ${printable(String(workload))}, the workload that comes closest`,
    ...lines,
  ]
}

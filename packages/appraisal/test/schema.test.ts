// The published JSON Schemas: on disk as in code, and in agreement with the parsers.

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { CLAIM_FIELDS, KINDS } from '@casemate/evidence'
import { Check } from 'typebox/value'
import {
  POLICY_SCHEMA,
  PRESETS,
  parsePolicy,
  REFERENCE_VALUES_SCHEMA,
  RESULT_FIELDS,
  workloadOf,
} from '../src/index.ts'
import { hex, SAMPLE, SGX, SNP, TDX } from './claims.ts'
import { PINNED_DOCUMENT } from './policies.ts'
import { POLICY_PAGE, policyPage } from './policy-page.ts'
import { schemaFiles } from './schema-files.ts'

for (const { path, schema } of schemaFiles()) {
  test(`${path.pathname.split('/').at(-1)} is what the code says`, () => {
    const onDisk: unknown = JSON.parse(readFileSync(path, 'utf8'))
    assert.deepEqual(onDisk, JSON.parse(JSON.stringify(schema)), 'run test/write-schemas.ts and format')
  })
}

interface Workload {
  readonly properties: { readonly kind: { readonly const: string } }
}

test('docs/policies.md has the fields of reference values, kind by kind', () => {
  const page = readFileSync(new URL('policies.md', POLICY_PAGE), 'utf8')
  const { properties } = REFERENCE_VALUES_SCHEMA as unknown as {
    readonly properties: {
      readonly workloads: { readonly items: { readonly [of: string]: readonly Workload[] } }
    }
  }
  const { items } = properties.workloads
  const rows = (items['oneOf'] ?? items['anyOf'] ?? []).map(({ properties: { kind, ...fields } }) => {
    const names = Object.keys(fields).filter(name => name !== 'name')
    return `| ${kind.const} | ${names.map(name => `\`${name}\``).join(', ')} |`
  })
  assert.deepEqual([rows.length, rows.filter(row => !page.includes(`\n${row}\n`))], [KINDS.length, []])
})

test('docs/policies.md names what a rule can say of claims and result', () => {
  const lines = readFileSync(new URL('policies.md', POLICY_PAGE), 'utf8').split('\n')
  for (const [variable, fields] of Object.entries({ claims: CLAIM_FIELDS, result: RESULT_FIELDS })) {
    const row = lines.find(line => line.startsWith(`| \`${variable}\` |`)) ?? ''
    assert.deepEqual(
      Object.keys(fields).filter(name => !row.includes(`\`${name}\``)),
      [],
    )
  }
})

test('docs/policy-fields.md has every field, as the code has it', () => {
  const page = readFileSync(POLICY_PAGE, 'utf8')
  assert.equal(page, policyPage(), 'run test/write-schemas.ts')
  const lacking: string[] = []
  const walk = (schema: { properties?: object; anyOf?: readonly object[] }, path: string) => {
    for (const alternative of [schema, ...(schema.anyOf ?? [])] as (typeof schema)[]) {
      for (const [name, child] of Object.entries(alternative.properties ?? {})) {
        const at = path === '' ? name : `${path}.${name}`
        const isLeaf =
          child.properties === undefined && !JSON.stringify(child.anyOf ?? '').includes('properties')
        if (at !== 'extends' && isLeaf && !page.includes(`| \`${at}\` |`)) lacking.push(at)
        walk(child, at)
      }
    }
  }
  walk({ properties: Reflect.get(POLICY_SCHEMA, 'properties') as object }, '')
  assert.deepEqual(
    lacking.filter(at => !MASKED.test(at)),
    [],
  )
})

/** The two halves of a masked value, which the field itself speaks of. */
const MASKED = /\.(value|mask)$/

const DOCUMENTS: readonly (readonly [string, object])[] = [
  ['a complete policy', PINNED_DOCUMENT],
  ['a preset', PRESETS.strict],
  ['a policy on a preset', { extends: 'strict', name: 'mine', version: 1, snp: { vmpl: 0 } }],
  ['a name only', { name: 'mine', version: 1 }],
  ['an unknown field', { extends: 'strict', name: 'mine', version: 1, simulate: 'any' }],
  ['an empty list', { extends: 'strict', name: 'mine', version: 1, hardwareIds: [] }],
  ['one value without its list', { extends: 'strict', name: 'mine', version: 1, initData: hex('ab', 32) }],
  ['no name', { extends: 'strict', version: 1 }],
  ['an unknown preset', { extends: 'lax', name: 'mine', version: 1 }],
]

for (const [name, document] of DOCUMENTS) {
  test(`schema and parser agree on ${name}`, () => {
    let accepted = true
    try {
      parsePolicy(document)
    } catch {
      accepted = false
    }
    assert.equal(Check(POLICY_SCHEMA, document), accepted)
  })
}

test('the schema accepts workloads of every kind', () => {
  const workloads = [SGX, TDX, SNP, SAMPLE].map(claims => workloadOf(claims, 'mine'))
  assert.equal(Check(REFERENCE_VALUES_SCHEMA, { workloads }), true)
  assert.equal(Check(REFERENCE_VALUES_SCHEMA, { workloads: [{ ...workloads[0], kind: 'tdx' }] }), false)
})

test('every field of the schema says what it means', () => {
  const silent: string[] = []
  const walk = (schema: { properties?: object; description?: string }, path: string) => {
    for (const [name, child] of Object.entries(schema.properties ?? {})) {
      const field = child as { properties?: object; description?: string }
      if (!field.description) silent.push(`${path}.${name}`)
      if (field.properties) walk(field, `${path}.${name}`)
    }
  }
  walk(POLICY_SCHEMA, '')
  assert.deepEqual(silent, [])
})

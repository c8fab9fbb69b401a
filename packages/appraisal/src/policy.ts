// Policy documents: JSON or YAML, complete or on top of a preset, to one complete, frozen policy.
// Normalised once, here; the rest of the package never sees a missing field.

import { deepFreeze, plainObject, type Reading, readBlock, schemaOf } from './block.ts'
import { registerPolicy } from './compiled-policy.ts'
import { readDocument } from './document.ts'
import { type JsonSchema, objectOf } from './json-schema.ts'
import { word } from './leaf.ts'
import { type AppraisalPolicy, POLICY } from './policy-fields.ts'
import { STANDARD, STRICT } from './preset-documents.ts'
import { AppraisalConfigError, type ConfigProblem } from './problem.ts'

type Base = Omit<AppraisalPolicy, 'name' | 'version'>

const EXTENDS = word('strict', 'standard')

/**
 * A policy from its document: text (YAML or JSON) or already parsed data.
 * @throws {AppraisalConfigError} `policy-invalid`, with every problem of the document
 */
export function parsePolicy(document: unknown): AppraisalPolicy {
  const problems: ConfigProblem[] = []
  const given = plainObject(readDocument('policy-invalid', document), '', problems)
  if (given === null) throw new AppraisalConfigError('policy-invalid', problems)
  const { extends: preset, ...fields } = given
  const base = presetNamed(preset, problems)
  const reading: Reading = { problems, missingHint }
  const policy = readBlock(POLICY, fields, { path: '', base }, reading)
  if (problems.length > 0) throw new AppraisalConfigError('policy-invalid', problems)
  return registerPolicy(deepFreeze(policy))
}

/** A preset lends all but these. */
const OWN_FIELDS: readonly string[] = ['name', 'version']

function missingHint(path: string, takesAny: boolean): string {
  if (OWN_FIELDS.includes(path)) return 'every policy has its own name and version'
  const unchecked = takesAny ? "; 'any' leaves it unchecked" : ''
  return `state it, or write \`extends: strict\` to take what is not stated from the preset${unchecked}`
}

function presetNamed(preset: unknown, problems: ConfigProblem[]): Base | null {
  if (preset === undefined) return null
  const flaws = EXTENDS.flaws(preset)
  for (const { at, ...flaw } of flaws) problems.push({ path: `extends${at}`, ...flaw })
  return preset === 'standard' ? baseOf(STANDARD) : baseOf(STRICT)
}

/** A preset without its name: what other policies take over. */
function baseOf(document: unknown): Base {
  const { name: _name, version: _version, ...base } = parsePolicy(document)
  return base
}

/** The presets, as complete policies. */
export const PRESETS: { readonly strict: AppraisalPolicy; readonly standard: AppraisalPolicy } = deepFreeze({
  strict: parsePolicy(STRICT),
  standard: parsePolicy(STANDARD),
})

/** Whether a name is a preset's: nothing else may be called so, or whoever reads the name would be misled. */
export function isPresetName(name: unknown): name is keyof typeof PRESETS {
  return typeof name === 'string' && Object.hasOwn(PRESETS, name)
}

/** JSON Schema of a policy document: complete, or with `extends` and whatever it changes. */
export const POLICY_SCHEMA: JsonSchema = deepFreeze({
  ...objectOf(
    {
      extends: {
        ...EXTENDS.schema,
        description: 'Preset from which every field that is not stated is taken.',
      },
      ...schemaOf(POLICY, false).properties,
    },
    [],
    { description: POLICY.meaning },
  ),
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  $id: 'urn:casemate:schema:appraisal-policy',
  title: 'Casemate appraisal policy',
  required: ['name', 'version'],
  // Without references, so that it can stand inside another schema.
  anyOf: [{ required: ['extends'] }, schemaOf(POLICY, true)],
})

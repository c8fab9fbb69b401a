// docs/policy-fields.md as it has to be on disk: every field of a policy, from the table that parser and schema come from.

import type { Block, Fields, Node } from '../src/block.ts'
import { PRESETS } from '../src/index.ts'
import { POLICY } from '../src/policy-fields.ts'

export const POLICY_PAGE = new URL('../../../docs/policy-fields.md', import.meta.url)

const OPENING = `# Every field of an appraisal policy

Written by \`packages/appraisal/test/write-schemas.ts\` from the table that the parser and the JSON Schema come from.
\`policies.md\` says how to use them. Every field takes the values below; where \`any\` is among them, it stands for "not checked".
The column \`strict\` has what the preset says.
`

interface Row {
  readonly path: string
  readonly values: string
  readonly strict: string
  readonly meaning: string
}

export function policyPage(): string {
  const blocks = Object.entries(POLICY.fields).filter(([, node]) => node.is !== 'field')
  const single = Object.entries(POLICY.fields).filter(([, node]) => node.is === 'field')
  const whole = section('Of the whole', '', rowsOf(Object.fromEntries(single), '', PRESETS.strict))
  const parts = blocks.map(([name, node]) =>
    section(
      `\`${name}\``,
      meaningOf(node),
      rowsOf(fieldsOf(node), `${name}.`, valueIn(PRESETS.strict, name)),
    ),
  )
  return [OPENING, whole, ...parts].join('\n')
}

function section(title: string, meaning: string, rows: readonly Row[]): string {
  const lines = rows.map(
    ({ path, values, strict, meaning }) =>
      `| \`${path}\` | ${cell(values)} | ${cell(strict)} | ${cell(meaning)} |`,
  )
  const head = ['| field | values | strict | meaning |', '|---|---|---|---|']
  return [`## ${title}`, '', ...(meaning === '' ? [] : [meaning, '']), ...head, ...lines, ''].join('\n')
}

function rowsOf(fields: Fields, prefix: string, preset: unknown): Row[] {
  return Object.entries(fields).flatMap(([name, node]) => {
    const path = `${prefix}${name}`
    const stated = valueIn(preset, name)
    if (node.is === 'field') {
      return [{ path, values: node.leaf.wanted, strict: shown(stated), meaning: node.meaning }]
    }
    const words = wordsOf(node)
    const strict = node.is === 'choice' ? shown(stated) : ''
    const own = words === '' ? [] : [{ path, values: words, strict, meaning: node.meaning }]
    return [...own, ...rowsOf(fieldsOf(node), `${path}.`, stated)]
  })
}

/** What may stand in the place of a block's fields; empty where nothing may. */
function wordsOf(node: Exclude<Node, { readonly is: 'field' }>): string {
  if (node.is === 'choice') return `${node.words.map(word => `'${word}'`).join(', ')}, or the fields below`
  return node.short === null ? '' : `${node.short.leaf.wanted}, or the fields below`
}

function fieldsOf(node: Node): Fields {
  if (node.is === 'field') return {}
  const block: Block = node.is === 'choice' ? node.block : node
  return block.fields
}

function meaningOf(node: Node): string {
  return node.meaning
}

function valueIn(document: unknown, name: string): unknown {
  return typeof document === 'object' && document !== null ? Reflect.get(document, name) : undefined
}

function shown(value: unknown): string {
  if (value === undefined) return ''
  return typeof value === 'string' ? value : JSON.stringify(value)
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|')
}

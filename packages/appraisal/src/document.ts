// Text to plain data. JSON is read as the YAML 1.2 that it is, so that repeated keys are refused in both.
// Bounded: size, no aliases (no expansion bombs), no tags that change anything, one document. A plain scalar that YAML would read as
// a number but that is not written as a decimal integer stays text: `0000…` and `12e4…` are measurements here.

import { type Document, isNode, isScalar, LineCounter, parseDocument, visit } from 'yaml'
import { type AppraisalConfigCode, AppraisalConfigError, type ConfigProblem } from './problem.ts'

/** Largest text, in UTF-16 units: room for about 350 workloads, and the worst of it is read within a second or two. */
export const MAX_DOCUMENT_CHARACTERS = 262_144

/** Deepest nesting of brackets; a policy needs five. */
const MAX_DEPTH = 32

const DECIMAL = /^-?(?:0|[1-9][0-9]{0,14})$/

/** Text is parsed, anything else is taken as already parsed. */
export function readDocument(code: AppraisalConfigCode, document: unknown): unknown {
  return typeof document === 'string' ? parseText(code, document) : document
}

function parseText(code: AppraisalConfigCode, text: string): unknown {
  if (text.length > MAX_DOCUMENT_CHARACTERS) {
    throw refusal(code, `${text.length} characters`, `at most ${MAX_DOCUMENT_CHARACTERS} characters`)
  }
  if (tooDeep(text)) throw refusal(code, 'deeper nesting', `at most ${MAX_DEPTH} levels`)
  try {
    return plainData(code, text)
  } catch (cause) {
    if (cause instanceof AppraisalConfigError) throw cause
    throw refusal(code, String(cause instanceof Error ? cause.message : cause), 'YAML or JSON', cause)
  }
}

/** Faults of the text that are reported; the first is what matters. */
const MAX_FAULTS = 10

function plainData(code: AppraisalConfigCode, text: string): unknown {
  const lineCounter = new LineCounter()
  const document = parseDocument(text, {
    version: '1.2',
    schema: 'core',
    lineCounter,
    resolveKnownTags: false,
    // At 'silent' the library passes over every document but the first.
    logLevel: 'error',
    // Both take time that grows with the square of the text; they are made good below.
    prettyErrors: false,
    uniqueKeys: false,
  })
  const faults = [
    ...[...document.errors, ...document.warnings].map(({ message, pos }) => ({ message, at: pos[0] })),
    ...findFaults(document),
  ]
  if (faults.length > 0) {
    const problems = faults
      .slice(0, MAX_FAULTS)
      .map(({ message, at }) => problemAt(message, lineCounter.linePos(at).line))
    throw new AppraisalConfigError(code, problems)
  }
  return document.toJS()
}

interface Fault {
  readonly message: string
  readonly at: number
}

function problemAt(message: string, line: number): ConfigProblem {
  const got = `line ${line}: ${message}`
  return {
    path: '',
    expected: 'plain YAML or JSON, every key once',
    got,
    hint: 'correct the text at that line',
  }
}

/** Aliases and repeated keys; and makes text again of what only looks like a number. */
function findFaults(document: Document.Parsed): readonly Fault[] {
  const faults: Fault[] = []
  visit(document, {
    Alias: (_, { range }) => {
      faults.push({ message: 'an alias', at: range?.[0] ?? 0 })
    },
    Map: (_, { items }) => {
      const seen = new Set<unknown>()
      for (const { key } of items) {
        const name = isScalar(key) ? key.value : key
        if (seen.has(name)) faults.push({ message: `the key ${String(name)} again`, at: startOf(key) })
        seen.add(name)
      }
    },
    Scalar: (_, node) => {
      if (typeof node.value === 'number' && !DECIMAL.test(node.source ?? '')) node.value = node.source
    },
  })
  return faults
}

function startOf(node: unknown): number {
  return isNode(node) ? (node.range?.[0] ?? 0) : 0
}

/** Nesting, from above: flow brackets, and the steps of indentation of one line (block collections nest one a column). */
function tooDeep(text: string): boolean {
  let depth = 0
  for (const character of text) {
    if (character === '[' || character === '{') depth++
    else if (character === ']' || character === '}') depth--
    if (depth > MAX_DEPTH) return true
  }
  return /^[ \t?:-]{128}/m.test(text)
}

function refusal(code: AppraisalConfigCode, got: string, expected: string, cause?: unknown) {
  const hint = 'write one plain document, in YAML or in JSON'
  return new AppraisalConfigError(code, [{ path: '', expected, got, hint }], cause)
}

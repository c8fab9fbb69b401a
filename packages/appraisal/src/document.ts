// Text to plain data. JSON is read as the YAML 1.2 that it is, so that repeated keys are refused in both.
// Bounded: size, no aliases (no expansion bombs), no tags that change anything, one document. A plain scalar that YAML would read as
// a number but that is not written as a decimal integer stays text: `0000…` and `12e4…` are measurements here.

import { parseDocument, visit } from 'yaml'
import { type AppraisalConfigCode, AppraisalConfigError } from './problem.ts'

/** Largest document, in UTF-16 units: room for about 1,500 workloads, and parsed in well under a second. */
export const MAX_DOCUMENT_CHARACTERS = 1_048_576

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

function plainData(code: AppraisalConfigCode, text: string): unknown {
  const document = parseDocument(text, {
    version: '1.2',
    schema: 'core',
    uniqueKeys: true,
    resolveKnownTags: false,
    // At 'silent' the library passes over every document but the first.
    logLevel: 'error',
  })
  const faults = [...document.errors, ...document.warnings]
  if (faults.length > 0) {
    throw new AppraisalConfigError(
      code,
      faults.map(({ message }) => ({
        path: '',
        expected: 'YAML or JSON, every key once',
        got: (message.split('\n')[0] ?? '').replace(/:$/, ''),
        hint: 'correct the text at that line',
      })),
      faults[0],
    )
  }
  visit(document, {
    Alias: () => {
      throw refusal(code, 'an alias (*name)', 'a document without aliases')
    },
    Scalar: (_, node) => {
      if (typeof node.value === 'number' && !DECIMAL.test(node.source ?? '')) {
        node.value = node.source
      }
    },
  })
  return document.toJS()
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

// Every hint of a refused document holds where it is given: the field that it names stands in the same block, and what it
// says to write is accepted there. Asked of every field that there is.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Block, Node } from '../src/block.ts'
import {
  AppraisalConfigError,
  type ConfigProblem,
  PRESETS,
  parsePolicy,
  parseReferenceValues,
} from '../src/index.ts'
import { WORKLOADS } from '../src/kinds/kinds.ts'
import { POLICY } from '../src/policy-fields.ts'

type Path = readonly string[]

/** A complete document and its fields. */
interface Form {
  readonly document: object
  /** Where the block stands in it. */
  readonly at: Path
  readonly block: Block
  readonly parse: (document: unknown) => unknown
}

/** A complete policy; blocks that may stand in a word's place do. */
const WHOLE = spelledOut({ ...PRESETS.strict, name: 'mine' }, POLICY)

function spelledOut(document: object, block: Block): Record<string, unknown> {
  const entries = Object.entries(block.fields).map(([name, node]) => {
    const value: unknown = Reflect.get(document, name)
    if (node.is === 'block') return [name, spelledOut(value as object, node)]
    if (node.is === 'field') return [name, value]
    return [name, Object.fromEntries(Object.keys(node.block.fields).map(field => [field, 'any']))]
  })
  return Object.fromEntries(entries) as Record<string, unknown>
}

const FORMS: readonly Form[] = [
  { document: WHOLE, at: [], block: POLICY, parse: parsePolicy },
  ...Object.entries(WORKLOADS).map(([kind, { block, identifying }]) => {
    const any = Object.fromEntries(Object.keys(block.fields).map(name => [name, 'any']))
    const stated = { [identifying[0]]: kind === 'sample' ? '1' : 'ab'.repeat(kind === 'sgx' ? 32 : 48) }
    const document = { workloads: [{ ...any, ...stated, kind, name: 'mine' }] }
    return { document, at: ['workloads', '0'], block, parse: parseReferenceValues }
  }),
]

/** Every node below a block that has a name, with its path and the block that it stands in. */
function* nodes(block: Block, at: Path): Generator<{ path: Path; node: Node; within: Block }> {
  for (const [name, node] of Object.entries(block.fields)) {
    const path = [...at, name]
    yield { path, node, within: block }
    if (node.is === 'block') yield* nodes(node, path)
    if (node.is === 'choice') yield* nodes(node.block, path)
  }
}

const ALL = FORMS.flatMap(form => [...nodes(form.block, form.at)].map(found => ({ ...form, ...found })))

/** A copy of a document with one member changed, or removed where `change` gives undefined. */
function changed(
  document: unknown,
  [name = '', ...rest]: Path,
  change: (value: unknown) => unknown,
): unknown {
  const copy = structuredClone(document) as Record<string, unknown>
  copy[name] = rest.length === 0 ? change(copy[name]) : changed(copy[name], rest, change)
  if (copy[name] === undefined) delete copy[name]
  return copy
}

function problemsOf(parse: Form['parse'], document: unknown): readonly ConfigProblem[] {
  try {
    parse(document)
    return []
  } catch (error) {
    assert.ok(error instanceof AppraisalConfigError, String(error))
    return error.problems
  }
}

const shown = (path: Path): string => path.join('.').replace('workloads.0', 'workloads[0]')
const at = (problems: readonly ConfigProblem[], path: Path): ConfigProblem | undefined =>
  problems.find(problem => problem.path === shown(path))

test('the documents that fields are taken from are complete', () => {
  for (const { parse, document } of FORMS) assert.deepEqual(problemsOf(parse, document), [])
  assert.ok(ALL.length > 100, String(ALL.length))
})

test('a slip in a field leads to that field, and any other word only to fields of the same block', () => {
  const names = new Set(ALL.map(({ path }) => path.at(-1)!))
  for (const { parse, document, path, within } of ALL) {
    const name = path.at(-1)!
    const known = Object.keys(within.fields)
    const hint = (typed: string): string => {
      const wrong = changed(document, [...path.slice(0, -1), typed], () => 'any')
      return at(problemsOf(parse, wrong), [...path.slice(0, -1), typed])?.hint ?? ''
    }
    const middle = Math.floor(name.length / 2)
    const slip = name.slice(0, middle) + name.slice(middle + 1)
    if (name.length >= 5 && !known.includes(slip))
      assert.equal(hint(slip), `did you mean ${name}?`, shown(path))
    for (const word of ['idBlock', 'xyzzy', ...names].slice(0, 30)) {
      if (known.includes(word) || word === 'kind') continue
      const text = hint(word)
      assert.notEqual(text, '')
      const told = /^(?:did you mean (\w+)\?|what there is of it: (.*))$/.exec(text)
      for (const one of (told?.[1] ?? told?.[2] ?? '').split(', ').filter(part => part !== '')) {
        assert.ok(known.includes(one), `${word} at ${shown(path)}: ${text}`)
      }
    }
  }
})

test('the vendor’s word for several fields leads to them', () => {
  const problems = problemsOf(parsePolicy, { ...WHOLE, snp: { ...(WHOLE['snp'] as object), idBlock: 'any' } })
  assert.equal(problems[0]?.hint, 'what there is of it: familyId, imageId, minGuestSvn')
})

test('what is said of a field that is missing would mend it', () => {
  for (const { parse, document, path, node } of ALL) {
    const problem = at(
      problemsOf(
        parse,
        changed(document, path, () => undefined),
      ),
      path,
    )
    assert.ok(problem, shown(path))
    const isOwn = path.length === 1 && ['name', 'version'].includes(path[0]!)
    assert.equal(/own name and version/.test(problem.hint), isOwn, shown(path))
    if (problem.hint.includes('extends')) {
      const extending = { extends: 'strict', ...(changed(document, path, () => undefined) as object) }
      assert.deepEqual(problemsOf(parse, extending), [], shown(path))
    }
    if (problem.hint.includes("'any'") && node.is === 'field') assertTakesAny(parse, document, path)
  }
})

test('a slip in a word leads to the word that was meant', () => {
  let words = 0
  for (const { parse, document, path, node } of ALL) {
    if (node.is === 'block') continue
    for (const word of node.is === 'field' ? node.leaf.words : node.words) {
      const slip = `${word.slice(0, -2)}${word.at(-1)}${word.at(-2)}`
      const problems = problemsOf(
        parse,
        changed(document, path, () => slip),
      )
      // A workload may be called so.
      if (problems.length === 0) continue
      assert.equal(at(problems, path)?.hint, `did you mean ${word}?`, `${slip} at ${shown(path)}`)
      words += 1
    }
  }
  assert.ok(words > 100, `${words}`)
  const [extending] = problemsOf(parsePolicy, { extends: 'standart', name: 'mine', version: 1 })
  assert.equal(extending?.hint, 'did you mean standard?')
  const [kind] = problemsOf(parseReferenceValues, { workloads: [{ kind: 'tdxx', name: 'mine' }] })
  assert.equal(kind?.hint, 'did you mean tdx?')
})

test('what is said of a bad value holds for that field', () => {
  for (const { parse, document, path, node } of ALL) {
    if (node.is === 'block') continue
    for (const value of [null, [], '', 'ANY', 'any', ' ', '0xab', -1, 1.5, {}, [null], { any: 'any' }]) {
      const problems = problemsOf(
        parse,
        changed(document, path, () => value),
      )
      const problem = problems.find(one => one.path.startsWith(shown(path)))
      // Some texts are values of some fields.
      if (problem === undefined && typeof value === 'string') continue
      assert.ok(problem, `${shown(path)}: ${JSON.stringify(value)} is accepted`)
      assert.notEqual(problem.hint, '', shown(path))
      if (/^write (?!hex without|'any' in)/.test(problem.hint) && problem.path === shown(path)) {
        assert.equal(problem.hint, `write ${problem.expected}`, shown(path))
      }
      const isOffered = /'any'/.test(problem.hint)
      if (isOffered && problem.path === shown(path)) assertTakesAny(parse, document, path)
    }
  }
})

function assertTakesAny(parse: Form['parse'], document: unknown, path: Path): void {
  const taken = changed(document, path, () => 'any')
  assert.equal(at(problemsOf(parse, taken), path), undefined, `${shown(path)} does not take 'any'`)
}

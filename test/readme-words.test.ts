// README.md and README.zh-CN.md, passage by passage: one word for a key (密钥) and another for a secret (秘密), each where the
// English has it and nowhere else.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'

/** Paragraphs, rows of tables, items and lines of commands: each is in both. */
function passagesOf(file: string): readonly string[] {
  return readFileSync(file, 'utf8')
    .split('\n\n')
    .flatMap(block => (/^(\||```)/.test(block) ? block.split('\n') : [block]))
}

/** What is read and not typed: without commands and names. */
function proseOf(passage: string): string {
  const isCommand = /^(npx|npm|printf|git) |^ {4}--/.test(passage)
  const said = isCommand ? passage.replace(/^[^#]*(?:#|$)/, '') : passage
  return said.replaceAll(/`[^`]*`/g, '')
}

const ENGLISH = passagesOf('README.md')
const CHINESE = passagesOf('README.zh-CN.md')

const PAIRS = [
  { english: /\bkeys?\b/i, chinese: /密钥/ },
  { english: /\bsecrets?\b/i, chinese: /秘密/ },
] as const

test('the two READMEs have the same passages', () => {
  assert.equal(CHINESE.length, ENGLISH.length)
  for (const [index, passage] of ENGLISH.entries()) {
    const [typed, same] = [passage, CHINESE[index] ?? ''].map(text =>
      /^(npx|npm|printf) [^#]*/.exec(text)?.[0].trim(),
    )
    assert.equal(same, typed)
  }
})

for (const { english, chinese } of PAIRS) {
  test(`${chinese.source} stands where ${english.source} does, and nowhere else`, () => {
    const pairs = ENGLISH.map((passage, index) => [proseOf(passage), proseOf(CHINESE[index] ?? '')] as const)
    assert.ok(pairs.filter(([one]) => english.test(one)).length > 5)
    for (const [one, other] of pairs) {
      // Code is the same in both.
      if (one === other) continue
      assert.equal(chinese.test(other), english.test(one), `${one}\n${other}`)
    }
  })
}

test('机密 is what computing and workloads are, never a word for a secret', () => {
  const text = CHINESE.join('\n').replaceAll(/机密(工作负载|计算)/g, '')
  assert.doesNotMatch(text, /机密/)
})

test('a workload is a 工作负载, never a bare 负载, which is what a processor has', () => {
  assert.doesNotMatch(CHINESE.join('\n'), /(?<!工作)负载/)
})

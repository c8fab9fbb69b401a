// The command that runs an example: what is typed wrong, or names a file that is none, is told in one line.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { after, before, test } from 'node:test'
import { run as genomics } from '../../genomics/run.ts'
import { run as payments } from '../../payments/run.ts'
import { run as perception } from '../../perception/run.ts'
import { PartyFailed } from '../child.ts'
import { Story } from '../story.ts'

const RUN = resolve(import.meta.dirname, '../../run.ts')
const folder = mkdtempSync(join(tmpdir(), 'casemate-wrong-'))
after(() => rmSync(folder, { recursive: true }))
before(() => {
  writeFileSync(join(folder, 'bad.gz'), 'not packed')
  writeFileSync(join(folder, 'text\u001b[31m'), 'no genotypes')
  mkdirSync(join(folder, 'pictures'))
  writeFileSync(join(folder, 'pictures/cut.jpg'), Buffer.from('ffd8ffe0', 'hex'))
  mkdirSync(join(folder, 'none'))
})

function example(...args: string[]): { status: number | null; stdout: string; stderr: string } {
  const options = { cwd: folder, env: { ...process.env, TMPDIR: folder }, encoding: 'utf8' } as const
  const { status, stdout, stderr } = spawnSync(process.execPath, [RUN, ...args], options)
  return { status, stdout, stderr }
}

test('the list of examples is an answer, and follows a name that is none', () => {
  const { status, stdout } = example()
  assert.equal(status, 0)
  for (const name of ['genomics', 'payments', 'perception'])
    assert.match(stdout, new RegExp(`^  ${name} `, 'm'))
  const wrong = example('genomcs')
  assert.deepEqual([wrong.status, wrong.stdout], [2, ''])
  assert.equal(wrong.stderr, `example: unknown-example: there is no example genomcs\n${stdout}`)
  assert.match(example('payments', '--help').stdout, /^payments: .*\noptions: --data DIR/)
})

test('what goes wrong is told in one line, and nothing in it is for the terminal to obey', () => {
  const { status, stderr } = example('genomics', '--vcf', 'text\u001b[31m', '--score', 'text\u001b[31m')
  assert.equal(status, 1)
  const said =
    /^example: file-malformed: text\\u001b\[31m has no line #CHROM that names two people\nhint: .*\n$/
  assert.match(stderr, said)
})

for (const [what, run, args, code, message] of [
  ['an option that there is not', genomics, ['--foo'], 'usage', /--foo/],
  ['half of what is needed', genomics, ['--vcf', 'x'], 'usage', /go together/],
  [
    'a file that there is not',
    genomics,
    ['--vcf', 'missing', '--score', 'x'],
    'file-not-readable',
    /no such file/,
  ],
  ['a folder as a file', genomics, ['--vcf', 'none', '--score', 'x'], 'file-not-readable', /it is a folder/],
  [
    'a file that does not unpack',
    genomics,
    ['--vcf', 'bad.gz', '--score', 'x'],
    'file-malformed',
    /bad\.gz does not/,
  ],
  [
    'a folder without lists',
    payments,
    ['--data', 'none'],
    'file-not-readable',
    /ofac-sdn\.csv: there is no such/,
  ],
  ['a file as a folder', perception, ['--pictures', 'bad.gz'], 'file-not-readable', /it is no folder/],
  ['a folder without pictures', perception, ['--pictures', 'none'], 'file-not-readable', /there is no \.jpg/],
  [
    'a picture that is cut off',
    perception,
    ['--pictures', 'pictures'],
    'file-malformed',
    /cut\.jpg is no JPEG/,
  ],
] as const) {
  test(`${what} is refused before anything is begun`, async () => {
    process.chdir(folder)
    const running = run({ args, print: () => undefined, signal: AbortSignal.timeout(60_000) })
    await assert.rejects(running, (error: unknown) => {
      assert.ok(error instanceof PartyFailed)
      assert.equal(error.code, code)
      assert.match(error.message, message)
      return true
    })
  })
}

test('a long name has a line of its own, and all else stays in its column', () => {
  const lines: string[] = []
  new Story((line = '') => void lines.push(line)).step('Title', 'A sentence.', [
    { what: 'short', detail: 'one' },
    { what: 'twelve-chars', detail: 'two' },
    { what: 'a longer name than that', detail: 'three' },
  ])
  assert.deepEqual(lines.slice(3), [
    '     short        one',
    '     twelve-chars two',
    '     a longer name than that',
    '                  three',
  ])
})

// The manual page: that it is the table's, and that those who read such pages find no fault in it.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { commandNames } from '../../src/commands.ts'
import { MANUAL, manualPage } from './manual.ts'

test('the manual page is that of the table; node packages/cli/test/line/write-manual.ts writes it', async () => {
  assert.equal(readFileSync(MANUAL, 'utf8'), await manualPage())
})

test('mandoc finds no fault in it, and shows every command', t => {
  if (spawnSync('mandoc', ['-T', 'lint', '/dev/null']).error !== undefined)
    return t.skip('mandoc is not here')
  const { stdout } = spawnSync('mandoc', ['-T', 'lint', '-W', 'style', MANUAL], { encoding: 'utf8' })
  const faults = stdout
    .split('\n')
    .filter(
      line =>
        line !== '' &&
        !/referenced manual not found|operating system|function name without markup/.test(line),
    )
  assert.deepEqual(faults, [])
  const shown = spawnSync('mandoc', ['-T', 'utf8', '-O', 'width=200', MANUAL], { encoding: 'utf8' }).stdout
  // Bold is a character, a backspace, and the character again.
  const plain = shown.replaceAll(/.\cH/g, '')
  for (const name of commandNames()) assert.ok(plain.includes(`casemate ${name}`), name)
})

test('man shows it without a warning', t => {
  const { error, stderr, status } = spawnSync('man', ['--warnings', '-l', MANUAL], {
    env: { PATH: process.env['PATH'], LANG: 'C.UTF-8', MANWIDTH: '80' },
    encoding: 'utf8',
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  if (error !== undefined || /minimized|No such file/.test(stderr)) return t.skip('man is not here')
  assert.equal(status, 0)
  assert.equal(stderr, '')
})

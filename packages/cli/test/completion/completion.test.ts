// What a shell is offered, and that bash, zsh and fish themselves read it so.
import assert from 'node:assert/strict'
import { type SpawnSyncReturns, spawnSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { delimiter, join } from 'node:path'
import { after, describe, test } from 'node:test'
import {
  CHANGE_POLICIES,
  CLIENTS,
  ENCLAVE_CHANGE_POLICIES,
  FEATURES,
  LEASE_END_POLICIES,
} from '@casemate/agent'
import { flagsOf, nameOf } from '../../src/command.ts'
import { allCommands, commandNames, FIRST_WORDS } from '../../src/commands.ts'
import { takenByArgument, takenByFlag } from '../../src/completion/takes.ts'
import { scriptFor } from '../../src/shells/scripts.ts'
import { BIN } from '../bin.ts'
import { casemate, casemateProcess, serving, temporaryDirectory } from '../run.ts'

const cwd = temporaryDirectory(after)

/** The words that are offered after these, of which the last is unfinished. */
async function offered(
  words: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<string[]> {
  const { code, stdout, stderr } = await casemate(['__complete', ...words], { cwd, env })
  assert.equal(code, 0)
  assert.equal(stderr, '')
  return stdout.split('\n').flatMap(line => (line === '' ? [] : [line.split('\t')[0] ?? '']))
}

test('every first word and every verb is offered, where it begins as what is typed', async () => {
  assert.deepEqual(await offered(['']), [...FIRST_WORDS, 'help'])
  assert.deepEqual(await offered(['att']), ['attest', 'attestation'])
  for (const first of FIRST_WORDS) {
    const verbs = commandNames().flatMap(name =>
      name.startsWith(`${first} `) ? [name.slice(first.length + 1)] : [],
    )
    if (verbs.length > 0) assert.deepEqual(await offered([first, '']), verbs)
  }
  assert.deepEqual(await offered(['help', 'rule', 'dr']), ['dry-run'])
  assert.deepEqual(await offered(['nonsense', '']), [])
})

test('flags are offered once, but for those that may be repeated', async () => {
  assert.deepEqual(await offered(['verify', 'q', '--tcb']), ['--tcb-update', '--tcb-evaluation-data-number'])
  assert.deepEqual(await offered(['verify', '--online', '--onl']), [])
  assert.deepEqual(await offered(['verify', '--trust', 'a', '--tru']), ['--trust'])
  assert.ok((await offered(['secret', 'list', ''])).includes('--server'))
})

test('values are words, files or directories, also behind an equals sign', async () => {
  assert.deepEqual(await offered(['verify', '--tcb-update', '']), ['early', 'standard'])
  assert.deepEqual(await offered(['attest', '--kind=t']), ['--kind=tdx'])
  assert.deepEqual(await offered(['key', 'rotate', '']), ['kek', 'signing'])
  assert.deepEqual(await offered(['key', 'rotate', 'kek', 's']), [])
  assert.deepEqual(await offered(['verify', '']), [':files'])
  assert.deepEqual(await offered(['verify', '--offline-cache', '']), [':directories'])
  assert.deepEqual(await offered(['run', '--', 'sh', '']), [':files'])
  assert.deepEqual(await offered(['verify', 'x', '--at', '']), [])
})

test('words after -- are arguments, counted as all others', async () => {
  assert.deepEqual(await offered(['key', 'rotate', '--', 's']), ['signing'])
  assert.deepEqual(await offered(['key', 'rotate', '--', 'kek', 's']), [])
  assert.deepEqual(await offered(['key', 'rotate', '--', '--server', '']), [])
})

test('values of the broker’s settings are the words that it reads', async () => {
  assert.deepEqual(await offered(['up', '--kek-source', '']), ['file', 'passphrase'])
  assert.deepEqual(await offered(['up', '--log-level=d']), ['--log-level=debug'])
  assert.deepEqual(await offered(['up', '--tcb-update', '']), ['early', 'standard', 'none'])
  assert.deepEqual(await offered(['config', 'show', '--offline', '']), ['true', 'false'])
  assert.deepEqual(await offered(['up', '--rsa-15', 't']), ['true'])
  // A word or a path.
  assert.deepEqual(await offered(['up', '--kek-file', '']), [':files'])
})

test('for each value and argument of every command somebody has decided what it is', async () => {
  for (const command of await allCommands()) {
    for (const [name, flag] of Object.entries(await flagsOf(command))) {
      if (flag.value === undefined) continue
      const takes = takenByFlag(name, flag)
      assert.notEqual(takes, null, `${nameOf(command)} --${name} ${flag.value}`)
      // What is offered is what the help says.
      if (Array.isArray(flag.takes))
        for (const word of flag.takes) assert.ok(flag.summary.includes(word), word)
    }
    for (let index = 0; index < Math.min(command.maximum, 3); index++) {
      assert.notEqual(takenByArgument(command, index), null, `${nameOf(command)} ${command.usage}`)
    }
  }
})

test('what is offered where the agent reads is all that it reads', async () => {
  const read: readonly (readonly [string, string, readonly string[]])[] = [
    ['run', 'on-lease-end', LEASE_END_POLICIES],
    ['run', 'on-change', CHANGE_POLICIES],
    ['enclave run', 'on-lease-end', LEASE_END_POLICIES],
    ['enclave run', 'on-change', ENCLAVE_CHANGE_POLICIES],
    ['agent', 'features', FEATURES],
    ['agent', 'clients', CLIENTS],
  ]
  const commands = await allCommands()
  for (const [name, flag, words] of read) {
    const command = commands.find(one => nameOf(one) === name)
    assert.ok(command)
    assert.deepEqual((await flagsOf(command))[flag]?.takes, words, `${name} --${flag}`)
  }
})

describe('names of the broker', () => {
  test('are offered with the token that a command would use, and without one nothing is', async () => {
    const broker = await serving(['--data-dir', join(cwd, 'data')], /admin-token/, { cwd })
    const token = { CASEMATE_DATA_DIR: join(cwd, 'data') }
    const at = ['--server', broker.url]
    await casemate(['secret', 'put', 'default/db/password', ...at], { cwd, env: token, input: 'x' })
    const rule = ['rule', 'set', 'db', '--secrets', 'default/db/*', '--expression', 'true']
    await casemate([...rule, ...at], { cwd, env: token })
    assert.deepEqual(await offered(['secret', 'delete', ...at, 'def'], token), ['default/db/password'])
    assert.deepEqual(await offered(['secret', 'delete', ...at, 'x'], token), [])
    assert.deepEqual(await offered(['rule', 'get', ...at, ''], token), ['db'])
    assert.deepEqual(await offered(['rule', 'get', ...at, '']), [])
    await broker.stop('SIGTERM')
    assert.deepEqual(await offered(['rule', 'get', ...at, ''], token), [])
  })

  test('are not waited for where the broker does not answer', async t => {
    const asked = Promise.withResolvers<void>()
    const silent = createServer(() => asked.resolve()).listen(0, '127.0.0.1')
    await new Promise(resolve => silent.once('listening', resolve))
    t.after(() => {
      silent.closeAllConnections()
      silent.close()
    })
    const patience = new Map<number, AbortController>()
    t.mock.method(AbortSignal, 'timeout', (ms: number) => {
      const over = new AbortController()
      patience.set(ms, over)
      return over.signal
    })
    const url = `http://127.0.0.1:${(silent.address() as AddressInfo).port}`
    const answer = offered(['rule', 'get', '--server', url, ''], { CASEMATE_TOKEN: 'cmt_x' })
    await asked.promise
    // Any other command waits for half a minute.
    const shortest = Math.min(...patience.keys())
    assert.equal(shortest, 1_000)
    patience.get(shortest)?.abort()
    assert.deepEqual(await answer, [])
  })

  test('that a shell would not take as they stand, or a command as a flag, are left out', async () => {
    const items = ['fine', 'no$(touch x)', 'no;no', 'no\nno', '--force', '-'].map(name => ({
      name,
      document: {},
      updatedAt: null,
    }))
    const hostile = createServer((_, answer) => {
      answer.setHeader('content-type', 'application/json').end(JSON.stringify({ items, next: null }))
    }).listen(0, '127.0.0.1')
    await new Promise(resolve => hostile.once('listening', resolve))
    try {
      const url = `http://127.0.0.1:${(hostile.address() as AddressInfo).port}`
      assert.deepEqual(await offered(['rule', 'get', '--server', url, ''], { CASEMATE_TOKEN: 'cmt_x' }), [
        'fine',
      ])
    } finally {
      hostile.close()
    }
  })
})

/** A folder in which `casemate` is the command, for shells that look for it by its name. */
function withCommand(): string {
  const folder = join(cwd, 'bin')
  mkdirSync(folder, { recursive: true })
  const file = join(folder, 'casemate')
  writeFileSync(file, `#!/bin/sh\nexec '${process.execPath}' '${BIN}' "$@"\n`, { mode: 0o755 })
  return folder
}

function shell(name: string, args: readonly string[]): SpawnSyncReturns<string> {
  const env = { PATH: `${withCommand()}${delimiter}${process.env['PATH']}`, HOME: cwd }
  return spawnSync(name, args, { cwd, env, encoding: 'utf8' })
}

const isThere = (name: string): boolean => spawnSync(name, ['--version']).status === 0

describe('the shells themselves', () => {
  writeFileSync(join(cwd, 'quote.bin'), '')

  test('bash offers verbs, values behind an equals sign, and leaves files to itself', t => {
    if (!isThere('bash')) return t.skip('bash is not here')
    const complete = (line: string): string => {
      const set = `COMP_LINE='${line}' COMP_POINT=${line.length}`
      const script = `source <(casemate completion bash); compopt() { echo "$*"; }; ${set}; _casemate; printf '%s\\n' "\${COMPREPLY[@]}"`
      const { stdout, stderr } = shell('bash', ['--norc', '-c', script])
      assert.equal(stderr, '')
      return stdout.trim()
    }
    assert.equal(complete('casemate secret '), 'put\nget\nlist\ndelete')
    assert.equal(complete('casemate attest --kind=t'), 'tdx')
    assert.equal(complete('casemate verify '), '-o default')
    assert.equal(complete('casemate verify --offline-cache '), '-o dirnames')
  })

  test('zsh describes what it offers, and leaves files to itself', t => {
    if (!isThere('zsh')) return t.skip('zsh is not here')
    const complete = (...words: string[]): string => {
      const stubs = 'compdef() { :; }; _files() { print files $*; }; _describe() { print -l ${(P)2}; }'
      const typed = words.map(word => `'${word}'`).join(' ')
      const script = `${stubs}; source <(casemate completion zsh); words=(${typed}); CURRENT=$#words; _casemate`
      const { stdout, stderr } = shell('zsh', ['-f', '-c', script])
      assert.equal(stderr, '')
      return stdout.trim()
    }
    assert.match(complete('casemate', 'key', 'r'), /^rotate:.+\nretire:.+$/)
    assert.equal(complete('casemate', 'verify', ''), 'files')
    assert.equal(complete('casemate', 'verify', '--offline-cache', ''), 'files -/')
  })

  test('fish offers words, with what they are for, and files', t => {
    if (!isThere('fish')) return t.skip('fish is not here')
    const complete = (line: string): string => {
      const script = `casemate completion fish | source; complete -C '${line}'`
      const { stdout, stderr } = shell('fish', ['--no-config', '-c', script])
      assert.equal(stderr, '')
      return stdout.trim()
    }
    assert.match(complete('casemate secret p'), /^put\tstore a secret/)
    assert.equal(complete('casemate attest --kind=t'), '--kind=tdx')
    assert.match(complete('casemate verify qu'), /^quote\.bin/)
  })

  test('each script is what its command prints', async () => {
    for (const name of ['bash', 'zsh', 'fish'] as const) {
      const { code, stdout } = await casemateProcess(['completion', name])
      assert.equal(code, 0)
      assert.equal(stdout, scriptFor(name))
    }
    assert.match(
      (await casemate(['completion', 'fihs'])).stderr,
      /^casemate: argument-unexpected.*\nhint: did you mean fish\?/,
    )
  })
})

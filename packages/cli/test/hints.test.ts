// Every name that a hint gives leads somewhere: commands exist, flags are those of the command at hand, settings are
// settings. Refusals of the flag and configuration parsers are asked for by slips of every name that there is; what
// stands in the source as text is read there.

import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { before, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { flagName, refuseUnknownVariables, resolveConfig, SETTINGS, StartError } from '@casemate/broker'
import { type Command, flagsOf, nameOf } from '../src/command.ts'
import { allCommands, FIRST_WORDS } from '../src/commands.ts'
import { CliError } from '../src/failure/cli-error.ts'
import { parseCommandLine } from '../src/line/parse.ts'

let commands: readonly Command[]
let flagsByCommand: ReadonlyMap<string, ReadonlySet<string>>
let allFlags: ReadonlySet<string>

before(async () => {
  commands = await allCommands()
  const pairs = commands.map(async one => [nameOf(one), new Set(Object.keys(await flagsOf(one)))] as const)
  flagsByCommand = new Map(await Promise.all(pairs))
  allFlags = new Set([...flagsByCommand.values()].flatMap(flags => [...flags]))
})

async function hintOf(argv: readonly string[]): Promise<string> {
  try {
    await parseCommandLine(argv)
  } catch (error) {
    assert.ok(error instanceof CliError, String(error))
    return error.hint ?? ''
  }
  throw new assert.AssertionError({ message: `${argv.join(' ')} is not refused` })
}

/** Of a short name a slip may be nearer to another one. */
const LONG = 5

function assertMeans(
  hint: string,
  name: string,
  how: (name: string) => string,
  others: Iterable<string>,
): void {
  const meant = name.length < LONG ? [...others].map(how) : [how(name)]
  assert.ok(meant.includes(hint), `${hint} is not ${how(name)}`)
}

/** A letter too few, two that changed places, and one too many. */
function slips(name: string): readonly string[] {
  const at = Math.floor(name.length / 2)
  return [
    name.slice(0, at) + name.slice(at + 1),
    name.slice(0, at - 1) + (name[at] ?? '') + (name[at - 1] ?? '') + name.slice(at + 1),
    `${name.slice(0, at)}x${name.slice(at)}`,
  ]
}

/** In a sentence a name ends with a mark; in code a line ends where another program begins. */
const IN_PROSE = /\bcasemate ((?:[a-z][a-z-]*)(?: [a-z][a-z-]*)?)([^;,.`]*)/g
const IN_CODE = /\bcasemate ((?:[a-z][a-z-]*)(?: [a-z][a-z-]*)?)([^`|;&]*)/g

interface Named {
  readonly command: string
  readonly flags: readonly string[]
}

/** The commands that a text names, each with the flags that stand behind it; words that are no command's end a name. */
function commandsIn(text: string, pattern = IN_PROSE): readonly Named[] {
  return [...text.matchAll(pattern)].map(([, words = '', rest = '']) => ({
    command: words,
    flags: flagsIn(rest.split(' -- ')[0] ?? ''),
  }))
}

function flagsIn(text: string): readonly string[] {
  return [...text.matchAll(/(?<![\w-])--([a-z][a-z0-9-]*)/g)].map(([, name = '']) => name)
}

function known(words: string): string | null {
  const [first = ''] = words.split(' ')
  if (flagsByCommand.has(words)) return words
  // What stands behind a command of one word is its argument, or the sentence; behind a group it has to be one of it.
  if (flagsByCommand.has(first) || first === 'help' || first === 'version') return first
  return words === first && FIRST_WORDS.includes(first) ? first : null
}

function assertLeads(hint: string, command: string | null): void {
  for (const found of commandsIn(hint)) {
    const name = known(found.command)
    assert.ok(name !== null, `there is no command ${found.command}: ${hint}`)
    for (const flag of found.flags) assert.ok(has(name, flag), `${name} has no --${flag}: ${hint}`)
  }
  const own = hint.replaceAll(/\bcasemate [^;,`]*/g, '')
  if (command !== null) {
    for (const flag of flagsIn(own)) assert.ok(has(command, flag), `${command} has no --${flag}: ${hint}`)
  }
}

function has(command: string, flag: string): boolean {
  const flags = flagsByCommand.get(command)
  return flag === 'help' || (flags === undefined ? allFlags.has(flag) : flags.has(flag))
}

test('a slip in a word of a command leads to that command, or to the help that lists it', async () => {
  for (const word of [...FIRST_WORDS, 'help', 'version']) {
    for (const slip of slips(word)) {
      if (FIRST_WORDS.includes(slip)) continue
      const all = [...FIRST_WORDS, 'help', 'version']
      assertMeans(await hintOf([slip]), word, one => `did you mean: casemate ${one}`, all)
    }
  }
  for (const { words } of commands) {
    const [first, second] = words
    if (second === undefined) continue
    for (const slip of slips(second)) {
      if (commands.some(other => nameOf(other) === `${first} ${slip}`)) continue
      const hint = await hintOf([first, slip])
      const verbs = commands.filter(other => other.words[0] === first).map(other => other.words[1] ?? '')
      assertMeans(hint, second, verb => `did you mean: casemate ${first} ${verb}`, verbs)
    }
  }
})

test('a slip in a flag leads to that flag', async () => {
  for (const { words } of commands) {
    const flags = flagsByCommand.get(words.join(' '))!
    for (const flag of flags) {
      for (const slip of slips(flag)) {
        if (flags.has(slip)) continue
        assertMeans(await hintOf([...words, `--${slip}`]), flag, one => `did you mean: --${one}`, flags)
      }
    }
  }
})

test('a flag of another command leads to none that this one lacks, nor to its contrary', async () => {
  for (const { words } of commands) {
    const name = words.join(' ')
    for (const flag of allFlags) {
      if (has(name, flag)) continue
      const hint = await hintOf([...words, `--${flag}`])
      assert.notEqual(hint, '', `${name} --${flag}`)
      assertLeads(hint, name)
      if (flag === 'offline') assert.doesNotMatch(hint, /--offline-/, name)
    }
  }
  for (const typed of ['--offline', '--ofline', '--off-line', '--offlien']) {
    assert.equal(await hintOf(['verify', 'x', typed]), 'nothing is fetched without --online', typed)
  }
  for (const typed of ['--onlien', '--onlin', '--oline']) {
    assert.equal(await hintOf(['verify', 'x', typed]), 'did you mean: --online', typed)
  }
})

test('a flag without its value, and too few or too many arguments, lead to the command at hand', async () => {
  for (const command of commands) {
    const { words, minimum, maximum } = command
    for (const [flag, { value }] of Object.entries(await flagsOf(command))) {
      if (value === undefined) continue
      assert.ok((await hintOf([...words, `--${flag}`])).startsWith(`--${flag} ${value}: `))
    }
    const wrong = [minimum - 1, maximum + 1].filter(count => count >= 0 && Number.isFinite(count))
    for (const count of wrong) {
      const hint = await hintOf([...words, ...Array.from({ length: count }, () => 'x')])
      assertLeads(hint, nameOf(command))
      assert.ok(hint.startsWith(`casemate ${nameOf(command)}`), hint)
    }
  }
})

const NAMES = Object.keys(SETTINGS) as (keyof typeof SETTINGS)[]
const variable = (name: (typeof NAMES)[number]): string =>
  `CASEMATE_${flagName(name).replaceAll('-', '_').toUpperCase()}`

function configHint(sources: Partial<Parameters<typeof resolveConfig>[0]>): string {
  try {
    resolveConfig({ flags: {}, env: {}, file: null, ...sources })
  } catch (error) {
    assert.ok(error instanceof StartError, String(error))
    const hint: unknown = Reflect.get(error, 'hint')
    return typeof hint === 'string' ? hint : ''
  }
  throw new assert.AssertionError({ message: `${JSON.stringify(sources)} is not refused` })
}

const yaml = (text: string) => ({ file: { name: 'c.yaml', text } })

test('a slip in a setting leads to it, as flag, variable and key', () => {
  for (const name of NAMES) {
    for (const slip of slips(name)) {
      assert.equal(configHint(yaml(`${slip}: x`)), `did you mean ${name}?`)
    }
    for (const slip of slips(flagName(name))) {
      assert.equal(configHint({ flags: { [slip]: 'x' } }), `did you mean ${flagName(name)}?`)
    }
    // A slip in the prefix makes a variable of somebody else's.
    for (const slip of slips(flagName(name).replaceAll('-', '_').toUpperCase())) {
      assert.equal(configHint({ env: { [`CASEMATE_${slip}`]: 'x' } }), `did you mean ${variable(name)}?`)
    }
  }
})

test('a setting by its name as a flag or variable, or by its beginning, leads to its name as a key', () => {
  for (const name of NAMES) {
    for (const written of [flagName(name), variable(name)]) {
      if (written === name) continue
      assert.equal(configHint(yaml(`${written}: x`)), `did you mean ${name}?`, written)
    }
  }
  assert.equal(configHint(yaml('tlsCert: x')), 'did you mean tlsCertFile?')
  assert.equal(configHint(yaml('tlsKey: x')), 'did you mean tlsKeyFile?')
  assert.equal(configHint(yaml('pcs: x')), 'did you mean pcsUrl?')
})

/** What texts of settings look like: two words and more in one, as settings are written in a file. */
const SETTING_WORD = /\b[a-z]+(?:[A-Z][a-z0-9]+)+\b/g

test('what is said of a bad value or of two settings that exclude each other names settings that exist', () => {
  const hints = [
    ...NAMES.flatMap(name => {
      try {
        SETTINGS[name].read('\u0000')
        return []
      } catch {
        return [configHint(yaml(`${name}: "\\0"`))]
      }
    }),
    configHint(yaml('tlsCertFile: x')),
    configHint(yaml('tlsKeyFile: x')),
    configHint(yaml('listen: 0.0.0.0:1')),
    configHint(yaml('kekSource: passphrase')),
    configHint(yaml('kekPassphraseFile: x')),
    configHint({ env: { CASEMATE_KEK_PASSPHRASE: '' } }),
    configHint({
      ...yaml('kekSource: passphrase\nkekPassphraseFile: x'),
      env: { CASEMATE_KEK_PASSPHRASE: 'x' },
    }),
    configHint(yaml('tcbUpdate: early\ntcbEvaluationDataNumber: 17')),
    configHint(yaml('[]')),
    configHint(yaml('a: [')),
    configHint(yaml('listen: {}')),
  ]
  for (const hint of hints) {
    assert.notEqual(hint, '')
    assertLeads(hint, 'up')
    for (const [word] of hint.matchAll(SETTING_WORD)) {
      assert.ok((NAMES as readonly string[]).includes(word), `${word}: ${hint}`)
    }
  }
})

/** Words after ours that make no command of it: "casemate is", "a newer casemate wrote it". */
const PROSE = new Set(['broker', 'channel', 'gives', 'is', 'simulated', 'wrote'])
/** Flags of npx and of node, which texts of these rooms give on. */
const FOREIGN = new Set(['disable-warning', 'inspect', 'max-semi-space-size', 'no'])
/** Rooms that compile and run code tell of the flags of compilers and engines as well. */
const ROOMS = ['cli', 'agent', 'broker', 'client', 'appraisal', 'evidence']
const ROOMS_OF_COMPILERS = ['enclave', 'channel', 'simulator']

/** Texts of the source: whatever stands in quotes there, and is not commented away. */
function textsOf(path: string): readonly string[] {
  const source = readFileSync(path, 'utf8').replaceAll(/^\s*(?:\/\/|\/?\*).*$/gm, '')
  return [...source.matchAll(/'((?:[^'\\\n]|\\.)*)'|`((?:[^`\\]|\\.)*)`|"((?:[^"\\\n]|\\.)*)"/g)].map(
    ([, single, template, double]) => single ?? template ?? double ?? '',
  )
}

function sources(directory: string): readonly string[] {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter(entry => entry.isFile() && entry.name.endsWith('.ts') && !entry.parentPath.includes('assembly'))
    .map(entry => join(entry.parentPath, entry.name))
}

interface Text {
  readonly room: string
  readonly path: string
  readonly text: string
}

function textsOfRoom(room: string): readonly Text[] {
  const directory = fileURLToPath(new URL(`../../${room}/src`, import.meta.url))
  return sources(directory).flatMap(path => textsOf(path).map(text => ({ room, path, text })))
}

function strayCommands({ text }: Text, pattern = IN_PROSE): readonly string[] {
  return commandsIn(text, pattern).flatMap(({ command, flags }) => {
    const name = known(command)
    if (name !== null) return flags.filter(flag => !has(name, flag)).map(flag => `casemate ${name} --${flag}`)
    return PROSE.has(command.split(' ')[0] ?? '') ? [] : [`casemate ${command}`]
  })
}

function strayFlags({ room, text }: Text): readonly string[] {
  if (ROOMS_OF_COMPILERS.includes(room)) return []
  return flagsIn(text)
    .filter(flag => !allFlags.has(flag) && !FOREIGN.has(flag))
    .map(flag => `--${flag}`)
}

test('every command and flag that a text of the program names exists', () => {
  const texts = [...ROOMS, ...ROOMS_OF_COMPILERS].flatMap(textsOfRoom)
  const strays = texts.flatMap(text =>
    [...strayCommands(text), ...strayFlags(text)].map(stray => `${text.path}: ${stray}`),
  )
  assert.deepEqual(strays, [])
  assert.ok(texts.flatMap(({ text }) => commandsIn(text)).length > 100)
})

/** Documents that people follow; CHANGELOG.md tells of mistakes as well. */
const DOCUMENTS = [
  'README.md',
  'README.zh-CN.md',
  'SECURITY.md',
  'LIMITATIONS.md',
  'CONTRIBUTING.md',
  'docs',
  'examples',
]

function documentsIn(name: string): readonly Text[] {
  const path = fileURLToPath(new URL(`../../../${name}`, import.meta.url))
  if (name.endsWith('.md')) return [{ room: 'docs', path, text: readFileSync(path, 'utf8') }]
  return readdirSync(path, { recursive: true, encoding: 'utf8' })
    .filter(file => file.endsWith('.md') && !file.includes('node_modules') && !file.includes('decisions'))
    .flatMap(file => documentsIn(join(name, file)))
}

test('every command that a document tells people to type exists, with its flags', () => {
  const documents = DOCUMENTS.flatMap(documentsIn)
  // What is to be typed stands in code; a line that ends with a backslash goes on.
  const typed = documents.flatMap(({ room, path, text }) =>
    [...text.replaceAll(/\\\n\s*/g, '').matchAll(/```[^]*?```|`[^`\n]+`/g)].flatMap(([code]) =>
      code.split('\n').map(line => ({ room, path, text: line.replace(/ #.*$/, '') })),
    ),
  )
  const strays = typed.flatMap(line => strayCommands(line, IN_CODE).map(stray => `${line.path}: ${stray}`))
  assert.deepEqual(strays, [])
  assert.ok(typed.flatMap(({ text }) => commandsIn(text)).length > 50)
})

test('every variable that a text of the program names is one', () => {
  let named = 0
  for (const { path, text } of [...ROOMS, ...ROOMS_OF_COMPILERS].flatMap(textsOfRoom)) {
    for (const [name] of text.matchAll(/\bCASEMATE_[A-Z]\w+/g)) {
      assert.doesNotThrow(() => refuseUnknownVariables({ [name]: 'x' }), `${name} in ${path}`)
      named++
    }
  }
  assert.ok(named > 20, String(named))
})

test('every request of /v1 that a text of the program names is in its description', () => {
  const file = fileURLToPath(new URL('../../../docs/openapi.json', import.meta.url))
  const { paths } = JSON.parse(readFileSync(file, 'utf8')) as { paths: Record<string, object> }
  // Descriptions do not describe themselves.
  const isServed = (method: string, typed: string): boolean =>
    /^\/v1\/openapi(?:-kbs)?\.json$/.test(typed) ||
    Object.entries(paths).some(
      ([path, methods]) =>
        Object.hasOwn(methods, method.toLowerCase()) &&
        new RegExp(`^${path.replaceAll(/\{\w+\}/g, '[^/]+')}$`).test(typed),
    )
  let named = 0
  for (const { path, text } of [...ROOMS, ...ROOMS_OF_COMPILERS].flatMap(textsOfRoom)) {
    for (const [found, method = '', typed = ''] of text.matchAll(/\b([A-Z]+) (\/v1\/[\w/{}.-]*)/g)) {
      assert.ok(isServed(method, typed), `${found} in ${path}`)
      named++
    }
  }
  assert.ok(named >= 5, String(named))
})

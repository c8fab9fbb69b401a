import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { inspect } from 'node:util'
import { type ConfigSources, flagName, resolveConfig, variableName } from '../../src/config/resolve.ts'
import { SETTINGS, type SettingName } from '../../src/config/settings.ts'

const resolve = ({ flags = {}, env = {}, file = null }: Partial<ConfigSources> = {}) =>
  resolveConfig({ flags, env, file })

const yaml = (text: string) => ({ file: { name: 'casemate.yaml', text } })

describe('configuration', () => {
  test('without sources everything has its default', () => {
    const { values, origins } = resolve()
    assert.deepEqual(values.listen, { host: '127.0.0.1', port: 8080 })
    assert.equal(values.sessionTimeout, 300_000)
    assert.equal(values.kekPassphrase, null)
    for (const origin of Object.values(origins)) assert.equal(origin, 'default')
  })

  test('a flag wins over the environment, which wins over the file; each value says where it came from', () => {
    const file = yaml('listen: 127.0.0.1:1\nissuer: file\nauthLimit: 7\n').file
    const env = { CASEMATE_LISTEN: '127.0.0.1:2', CASEMATE_ISSUER: 'environment', OTHER: 'x' }
    const { values, origins } = resolve({ flags: { listen: '127.0.0.1:3' }, env, file })
    assert.deepEqual([values.listen.port, values.issuer, values.authLimit], [3, 'environment', 7])
    assert.equal(origins.listen, 'flag --listen')
    assert.equal(origins.issuer, 'environment CASEMATE_ISSUER')
    assert.equal(origins.authLimit, 'file casemate.yaml')
    assert.equal(origins.offline, 'default')
  })

  test('a file that is no YAML is refused with the line, and the place of the key is always shown', () => {
    assert.throws(() => resolve(yaml('issuer: a\nlisten: [1\n')), {
      code: 'config-invalid',
      message: /^casemate\.yaml line [23] is not valid YAML: \S[^\n]*$/,
    })
    assert.equal(resolve({ flags: { 'data-dir': '/data' } }).texts.kekFile, '/data/kek.json')
    assert.equal(resolve({ flags: { 'kek-file': '/keys/k' } }).texts.kekFile, '/keys/k')
  })

  test('names follow from one another, without two that are the same', () => {
    assert.equal(flagName('tlsCertFile'), 'tls-cert-file')
    assert.equal(variableName('tlsCertFile'), 'CASEMATE_TLS_CERT_FILE')
    const names = Object.keys(SETTINGS) as SettingName[]
    assert.equal(new Set(names.map(flagName)).size, names.length)
  })

  test('every default is one that its own reader takes', () => {
    for (const [name, { read, default: text }] of Object.entries(SETTINGS))
      assert.doesNotThrow(() => read(text), name)
  })

  const unknown: readonly [string, Partial<ConfigSources>, string][] = [
    ['a flag', { flags: { lisen: 'x' } }, 'did you mean listen?'],
    ['a variable', { env: { CASEMATE_LISTE: 'x' } }, 'did you mean CASEMATE_LISTEN?'],
    ['a key of the file', yaml('tlsCertfile: x'), 'did you mean tlsCertFile?'],
    ['a variable as a key of the file', yaml('CASEMATE_DATA_DIR: x'), 'did you mean dataDir?'],
    ['a key like nothing', yaml('zzzzzzzzzzzzzzzz: x'), 'casemate config show lists all of them'],
    ['a key of the prototype', yaml('__proto__: x'), 'casemate config show lists all of them'],
  ]
  for (const [what, sources, hint] of unknown) {
    test(`${what} that is no setting is refused, with what was probably meant`, () => {
      assert.throws(() => resolve(sources), { code: 'config-unknown', hint })
    })
  }

  const invalid: readonly [SettingName, readonly string[]][] = [
    ['listen', ['', '8080', 'localhost', '127.0.0.1:99999', '127.0.0.1:x', '::1:80', 'http://x:1', 'a b:1']],
    ['metricsListen', ['none', 'true']],
    ['sessionTimeout', ['5', '5 m', '-5m', '5min', '1.5h', '', '99999999999d']],
    ['bodyLimit', ['2MB', '2', '2 MiB', '-1B']],
    ['authLimit', ['0', '-1', '1.5', 'many', '1e3']],
    ['serverProcesses', ['', '-1', '1.5', 'many', '65', '100']],
    ['offline', ['yes', '1', '']],
    ['kekSource', ['hsm', '']],
    ['logLevel', ['verbose']],
    ['pcsUrl', ['ftp://x', 'example.org', '']],
    ['dataDir', ['', 'a\nb']],
    ['trustedProxies', ['proxy', '10.0.0.0/33', '10.0.0.0/x', '::/129', '1.2.3']],
  ]
  for (const [name, texts] of invalid) {
    test(`${name} is refused where it is not what it should be`, () => {
      for (const text of texts) {
        assert.throws(() => resolve({ flags: { [flagName(name)]: text } }), { code: 'config-invalid' }, text)
      }
    })
  }

  const slips: readonly (readonly [SettingName, string, string])[] = [
    ['logLevel', 'inof', 'info'],
    ['logLevel', 'DEBUG', 'debug'],
    ['kekSource', 'passphrse', 'passphrase'],
    ['tcbUpdate', 'standrad', 'standard'],
    ['tcbUpdate', 'noen', 'none'],
    ['offline', 'ture', 'true'],
  ]
  for (const [name, text, meant] of slips) {
    test(`${name} ${text} is refused with what was probably meant`, () => {
      const hint = new RegExp(`^did you mean ${meant}\\? It is: `)
      assert.throws(() => resolve({ flags: { [flagName(name)]: text } }), { code: 'config-invalid', hint })
    })
  }

  test('units are read', () => {
    const flags = {
      'session-timeout': '90s',
      'body-limit': '64KiB',
      'evidence-retention': '2d',
      listen: '[::1]:0',
    }
    const { values } = resolve({ flags })
    assert.deepEqual(
      [values.sessionTimeout, values.bodyLimit, values.evidenceRetention, values.listen],
      [90_000, 65_536, 172_800_000, { host: '::1', port: 0 }],
    )
  })

  test('a file may have lists, numbers, booleans and comments, and nothing else', () => {
    const { values } = resolve(yaml('# mine\noffline: true\nauthLimit: 5\nendorsementPaths: [a, b]\n'))
    assert.deepEqual([values.offline, values.authLimit, values.endorsementPaths], [true, 5, ['a', 'b']])
    assert.equal(resolve(yaml('')).values.offline, false)
    for (const text of [
      '- a',
      'a',
      'listen: {host: x}',
      'listen: null',
      'listen: [1]',
      'a: &a [*a]',
      'listen: "x',
      'offline: true\noffline: false',
    ]) {
      assert.throws(() => resolve(yaml(text)), { name: 'StartError' }, text)
    }
  })

  test('what others can reach needs TLS', () => {
    for (const host of ['0.0.0.0', '[::]', '192.0.2.1', 'example.org', '128.0.0.1', '[::2]']) {
      assert.throws(() => resolve({ flags: { listen: `${host}:1` } }), { code: 'tls-required' }, host)
    }
    for (const host of ['127.0.0.1', '127.1.2.3', '[::1]', 'localhost'])
      resolve({ flags: { listen: `${host}:1` } })
    resolve({ flags: { listen: '0.0.0.0:1', 'tls-cert-file': 'a', 'tls-key-file': 'b' } })
  })

  test('settings that contradict one another are refused', () => {
    const passphrase = { CASEMATE_KEK_PASSPHRASE: 'x' }
    for (const sources of [
      { flags: { 'tls-key-file': 'x' } },
      { flags: { 'tcb-update': 'standard', 'tcb-evaluation-data-number': '20' } },
      { flags: { 'kek-source': 'passphrase' } },
      { env: passphrase },
      { flags: { 'kek-source': 'passphrase', 'kek-passphrase-file': 'x' }, env: passphrase },
    ]) {
      assert.throws(() => resolve(sources), { code: 'config-conflict' })
    }
    resolve({ flags: { 'kek-source': 'passphrase' }, env: passphrase })
    const empty = { flags: { 'kek-source': 'passphrase' }, env: { CASEMATE_KEK_PASSPHRASE: '' } }
    assert.throws(() => resolve(empty), { code: 'config-invalid' })
    resolve({ flags: { 'trusted-proxies': '10.0.0.0/8, 192.0.2.1,2001:db8::/32' } })
  })

  test('the passphrase is in no print of the configuration', () => {
    const config = resolve({
      flags: { 'kek-source': 'passphrase' },
      env: { CASEMATE_KEK_PASSPHRASE: 's3cr3t' },
    })
    const prints = [
      JSON.stringify(config),
      inspect(config, { depth: 9, showHidden: true }),
      config.values.kekPassphrase?.toString() ?? '',
    ]
    for (const print of prints) assert.ok(!print.includes('s3cr3t'))
    assert.equal(config.texts.kekPassphrase, '<redacted>')
    assert.equal(config.origins.kekPassphrase, 'environment CASEMATE_KEK_PASSPHRASE')
    assert.equal(config.values.kekPassphrase?.reveal(), 's3cr3t')
  })
})

// `casemate run` as people use it: processes, a broker whose results live for seconds, and what is left of it all.
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, statfsSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { BIN } from '../bin.ts'
import { environment, type Ran, type Serving, serving, temporaryDirectory } from '../run.ts'
import { typingIn } from '../typing.ts'

/** For what happens at a renewal. Long, since where a renewal takes longer than a third of it, the lease is lost. */
const RENEWED = '12s'
const TMPFS = 0x01021994
const hasTmpfs = existsSync('/dev/shm') && statfsSync('/dev/shm').type === TMPFS
const POSIX = process.platform !== 'win32' || undefined

const cwd = temporaryDirectory(after)
/** Its results live as long as usual: no lease ends under a command that is not about leases. */
let broker: Serving
const started: ChildProcess[] = []
after(() => {
  for (const child of started) child.kill('SIGKILL')
})

/** Another one, whose results are soon renewed, with data of its own. */
let brief: Serving
const BRIEF_DATA = join(cwd, 'brief')

/** An administrator's commands, which have to succeed. */
const { done: admin } = typingIn(cwd, { env: () => ({ CASEMATE_SERVER: broker.url }) })
const { done: briefAdmin } = typingIn(cwd, {
  env: () => ({ CASEMATE_SERVER: brief.url, CASEMATE_DATA_DIR: BRIEF_DATA }),
})

/** Stores a secret under a name of its own, and releases it. */
async function secretFor(name: string, content: string, at = admin): Promise<string> {
  const path = `${name}/test/secret`
  await at(`secret put ${path}`, content)
  await at(['rule', 'set', name, '--secrets', path, '--expression', 'claims.kind == "tdx"'])
  return path
}

interface Running {
  readonly child: ChildProcess
  readonly stdout: () => string
  readonly stderr: () => string
  readonly ended: Promise<Ran>
  /** Waits until something was printed. */
  readonly says: (pattern: RegExp) => Promise<void>
}

const startBrief = (args: readonly string[], env = {}): Running =>
  start(args, { url: brief.url, env: { CASEMATE_DATA_DIR: BRIEF_DATA, ...env } })

interface Start {
  readonly url?: string
  readonly env?: Readonly<Record<string, string>>
}

function start(args: readonly string[], { url = broker.url, env = {} }: Start = {}): Running {
  const child = spawn(process.execPath, [BIN, 'run', ...args], {
    cwd,
    env: environment({ CASEMATE_SERVER: url, ...env }),
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  started.push(child)
  const texts = { stdout: '', stderr: '' }
  child.stdout.on('data', chunk => (texts.stdout += String(chunk)))
  child.stderr.on('data', chunk => (texts.stderr += String(chunk)))
  const ended = once(child, 'close').then(([code]) => ({
    code: code as number | null,
    bytes: Buffer.from(texts.stdout),
    ...texts,
  }))
  return {
    child,
    stdout: () => texts.stdout,
    stderr: () => texts.stderr,
    ended,
    says: async pattern => {
      let over = false
      void ended.then(() => (over = true))
      while (!pattern.test(texts.stdout + texts.stderr)) {
        if (over) throw new Error(`ended without ${pattern}:\n${texts.stdout}${texts.stderr}`)
        await sleep(10)
      }
    },
  }
}

const shell = (script: string): readonly string[] => ['--', '/bin/sh', '-c', script]

/** True while anything of a process group lives. */
function lives(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

async function gone(pid: number): Promise<void> {
  while (lives(pid)) await sleep(10)
}

/** Every file below a directory that has one of these octets in it. */
function filesWith(directory: string, needles: readonly string[]): string[] {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter(entry => entry.isFile())
    .map(entry => join(entry.parentPath, entry.name))
    .filter(path => {
      const bytes = readFileSync(path)
      return needles.some(needle => bytes.includes(needle))
    })
}

describe('casemate run', {
  skip: POSIX === undefined && 'signals and groups of POSIX',
  concurrency: 6,
}, () => {
  before(async () => {
    ;[broker, brief] = await Promise.all([
      serving(['--tour'], /Ctrl-C stops/, { cwd }),
      serving(['--tour', '--token-lifetime', RENEWED], /Ctrl-C stops/, {
        cwd,
        env: { CASEMATE_DATA_DIR: BRIEF_DATA },
      }),
    ])
  })

  test('gives a secret as a variable, keeps what is Casemate’s own, and passes the exit code on', async () => {
    const path = await secretFor('variable', 'pa$$ wörd\n')
    const script = 'printf "[%s]" "$DB"; env | grep ^CASEMATE_; cat /proc/self/coredump_filter; exit 7'
    const { code, stdout, stderr } = await start(['--secret', `kbs:///${path}=DB`, ...shell(script)], {
      env: { CASEMATE_TOKEN: 'cmt_must-not-be-passed-on' },
    }).ended
    assert.equal(code, 7, stderr)
    assert.match(stdout, /^\[pa\$\$ wörd\n\](00000000\n)?$/)
    assert.match(stderr, /^casemate: the platform is simulated: nothing about hardware is proved\n/)
  })

  test('gives a secret as a file in memory, which is gone afterwards', { skip: !hasTmpfs }, async () => {
    const path = await secretFor('file', '\u0000binary\u00ff')
    const script = 'echo "$KEY"; stat -c "%a %u" "$KEY"; stat -f -c %T "$KEY"; cat "$KEY"'
    const { code, stdout, stderr } = await start(['--secret-file', `${path}=KEY`, ...shell(script)]).ended
    assert.equal(code, 0, stderr)
    const [place = '', mode, fileSystem, content] = stdout.split('\n')
    assert.deepEqual(
      [mode, fileSystem, content],
      [`600 ${process.getuid?.()}`, 'tmpfs', '\u0000binary\u00ff'],
    )
    assert.ok(!existsSync(place) && !existsSync(join(place, '..')), place)
  })

  test('does not start the command unless every secret is released, nor where a file would be on a disk', async () => {
    const path = await secretFor('partly', 'x')
    const marker = join(cwd, 'was-started')
    const command = shell(`touch ${marker}`)
    const runs = [
      start(['--secret', `${path}=A`, '--secret', 'partly/test/other=B', ...command]).ended,
      start(['--secret', `${path}=A`, '--code', 'other', ...command]).ended,
      start(['--secret', `${path}=A`, ...command], { url: 'http://127.0.0.1:1' }).ended,
      start(['--secret-file', `${path}=A`, '--memory-directory', import.meta.dirname, ...command]).ended,
    ]
    const ran = await Promise.all(runs)
    assert.deepEqual(
      ran.map(({ code, stderr }) => [
        code,
        /casemate: ([a-z-]+): /.exec(stderr.replace(/.*simulated: .*\n/, ''))?.[1],
      ]),
      [
        [1, 'release-denied'],
        [1, 'appraisal-refused'],
        [3, 'unreachable'],
        [2, 'directory-not-in-memory'],
      ],
    )
    assert.match(ran[0]?.stderr ?? '', /release-denied: partly\/test\/other: /)
    assert.ok(!existsSync(marker))
  })

  test('says as a shell does that there is no such command, and leaves nothing', {
    skip: !hasTmpfs,
  }, async () => {
    const path = await secretFor('nothing', 'x')
    const base = join('/dev/shm', `casemate-test-${randomBytes(6).toString('hex')}`)
    mkdirSync(base, { mode: 0o700 })
    after(() => rmdirSync(base))
    const flags = ['--secret-file', `${path}=F`, '--memory-directory', base, '--']
    const [missing, directory] = await Promise.all([
      start([...flags, 'no-such-command']).ended,
      start([...flags, '/']).ended,
    ])
    assert.deepEqual([missing.code, directory.code], [127, 126])
    assert.match(missing.stderr, /command-missing: there is no command no-such-command\n/)
    assert.deepEqual(readdirSync(base), [])
  })

  test('passes signals on, and ends what the command has left behind', async () => {
    const trap = start(shell('trap "echo heard; exit 5" TERM; echo ready; while :; do sleep 0.05; done'))
    await trap.says(/ready/)
    trap.child.kill('SIGTERM')
    const plain = start(shell('echo ready; exec sleep 600'))
    await plain.says(/ready/)
    plain.child.kill('SIGINT')
    const left = start(['--grace', '0', ...shell('(trap "" TERM; exec sleep 600) & echo "pid $!"')])
    const ran = await Promise.all([trap.ended, plain.ended, left.ended])
    assert.deepEqual(
      ran.map(({ code }) => code),
      [5, 130, 0],
    )
    assert.match(ran[0].stdout, /heard/)
    await gone(Number(/pid (\d+)/.exec(ran[2].stdout)?.[1]))
  })

  test('renews the lease, replaces files and tells the command of a change', {
    skip: !hasTmpfs,
  }, async () => {
    const path = await secretFor('changed', 'one', briefAdmin)
    const script = 'trap "cat $KEY; exit 0" HUP; echo "ready $V"; sleep 600 & wait'
    const secrets = ['--secret-file', `${path}=KEY`, '--secret', `${path}=V`]
    const told = startBrief([...secrets, '--on-change', 'SIGHUP', ...shell(script)])
    const anew = startBrief([...secrets, '--on-change', 'restart', ...shell('echo "V $V"; exec sleep 600')])
    await Promise.all([told.says(/ready one/), anew.says(/V one/)])
    await briefAdmin(`secret put ${path}`, 'two')
    const { code, stdout, stderr } = await told.ended
    assert.equal(code, 0, stderr)
    assert.equal(stdout, 'ready one\ntwo')
    assert.match(stderr, /changed at the broker: V, KEY; a variable keeps its old value\n/)
    await anew.says(/V two/)
    anew.child.kill('SIGTERM')
    assert.equal((await anew.ended).code, 143)
  })

  test('stops the command when the broker withdraws a release, unless it is to be kept', async () => {
    const path = await secretFor('withdrawn', 'x', briefAdmin)
    const loop = shell('echo "pid $$"; exec sleep 600')
    const stopped = startBrief(['--secret', `${path}=A`, ...loop])
    const kept = startBrief(['--secret', `${path}=A`, '--on-lease-end', 'keep', ...loop])
    await Promise.all([stopped.says(/pid/), kept.says(/pid/)])
    await briefAdmin('rule delete withdrawn')
    const { code, stderr, stdout } = await stopped.ended
    assert.equal(code, 124)
    assert.match(stderr, /casemate: release-denied: .*; the lease is withdrawn\n/)
    assert.ok(!lives(Number(/pid (\d+)/.exec(stdout)?.[1])))
    await kept.says(/release-denied/)
    assert.ok(lives(Number(/pid (\d+)/.exec(kept.stdout())?.[1])))
    // What is to be kept is kept also when we are killed.
    const pid = Number(/pid (\d+)/.exec(kept.stdout())?.[1])
    kept.child.kill('SIGKILL')
    await once(kept.child, 'exit')
    assert.ok(lives(pid))
    process.kill(-pid, 'SIGKILL')
  })

  test('leaves neither a command nor a file when it is killed itself', { skip: !hasTmpfs }, async () => {
    const path = await secretFor('killed', 'x')
    const flags = ['--secret-file', `${path}=F`, '--grace', '0']
    const run = start([
      ...flags,
      ...shell('trap "" TERM HUP; sleep 1; echo "$$ $F"; while :; do sleep 0.05; done'),
    ])
    await run.says(/\d \//)
    const [pid, file = ''] = run.stdout().trim().split(' ')
    assert.ok(existsSync(file))
    run.child.kill('SIGKILL')
    await gone(Number(pid))
    while (existsSync(file)) await sleep(10)
  })

  test('serves what it was started for to the command, and nothing else', async () => {
    const [path, other] = [await secretFor('served', 'one'), await secretFor('other', 'two')]
    const script = `
      const ask = async path => {
        const answer = await fetch(process.env.CASEMATE_GUEST_API + path)
        console.log(answer.status, await answer.text())
      }
      await ask('/cdh/resource/${path}')
      await ask('/cdh/resource/${other}')
      await ask('/aa/token?token_type=kbs')`
    const command = [process.execPath, '--input-type=module', '-e', script]
    const { code, stdout, stderr } = await start([
      '--secret',
      `${path}=A`,
      '--guest-api',
      '0',
      '--',
      ...command,
    ]).ended
    assert.equal(code, 0, stderr)
    assert.equal(stdout, '200 one\n403 Forbidden\n404 Attestation Feature Not Enabled\n')
  })

  test('writes no secret to a disk, and shows none in its arguments', {
    skip: process.platform !== 'linux',
  }, async () => {
    const secret = randomBytes(24).toString('base64url')
    const path = await secretFor('hidden', secret, briefAdmin)
    const home = temporaryDirectory(after)
    const run = startBrief(
      [
        '--secret',
        `${path}=A`,
        ...(hasTmpfs ? ['--secret-file', `${path}=F`] : []),
        ...shell('echo "$$"; exec sleep 600'),
      ],
      { HOME: home, TMPDIR: home, XDG_CACHE_HOME: home, NODE_COMPILE_CACHE: '' },
    )
    await run.says(/\d\n/)
    // Over a renewal as well.
    const next = randomBytes(24).toString('base64url')
    await briefAdmin(`secret put ${path}`, next)
    await run.says(/changed at the broker/)
    const forms = [secret, next].flatMap(one => [
      one,
      Buffer.from(one).toString('base64'),
      Buffer.from(one).toString('hex'),
    ])
    assert.deepEqual([...filesWith(cwd, forms), ...filesWith(home, forms)], [])
    const commandLines = readdirSync('/proc')
      .filter(name => /^\d+$/.test(name))
      .map(pid => readOrEmpty(`/proc/${pid}/cmdline`))
    assert.ok(commandLines.some(line => line.includes('hidden/test/secret=A')))
    assert.ok(!commandLines.some(line => line.includes(secret) || line.includes(next)))
    run.child.kill('SIGTERM')
    await run.ended
  })

  test('stops the command when the lease ends without a broker, and says so before', async () => {
    const place = temporaryDirectory(after)
    const own = await serving(['--tour', '--token-lifetime', '10s'], /Ctrl-C stops/, { cwd: place })
    const run = start(
      [
        '--secret',
        'default/demo/greeting=A',
        '--simulator',
        join(place, '.casemate/simulator'),
        ...shell('echo "pid $$"; exec sleep 600'),
      ],
      { url: own.url },
    )
    await run.says(/pid/)
    await own.stop('SIGKILL')
    const { code, stderr, stdout } = await run.ended
    assert.equal(code, 124)
    assert.match(stderr, /casemate: unreachable: .*; asking again, the lease ends in \d+ s\n/)
    assert.match(stderr, /casemate: lease-ended: the lease has ended and was not renewed\n$/)
    assert.ok(!lives(Number(/pid (\d+)/.exec(stdout)?.[1])))
  })
})

function readOrEmpty(path: string): string {
  try {
    return readFileSync(path, 'latin1')
  } catch {
    return ''
  }
}

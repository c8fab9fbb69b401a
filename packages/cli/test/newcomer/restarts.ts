// Starts on data that is there already: beside a running broker, after its end, after changes to it.
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { test } from 'node:test'
import { casemate } from '../run.ts'
import { beside, broker, cwd, jsonOf, startTour } from './broker.ts'

export function restartTests(): void {
  test('a second broker on the same data or address is refused with a way out', async () => {
    const same = await casemate(['up', '--listen', '127.0.0.1:0', '--metrics-listen', 'off'], { cwd })
    assert.equal(same.code, 2)
    assert.match(same.stderr, /^casemate: data-directory-in-use: [^]*hint: /)
    const server = createServer().listen(0, '127.0.0.1')
    await new Promise(resolve => server.once('listening', resolve))
    const address = server.address()
    const port = typeof address === 'object' ? address?.port : 0
    const taken = await casemate(
      [
        'up',
        '--listen',
        `127.0.0.1:${port}`,
        '--data-dir',
        join(cwd, 'elsewhere'),
        '--metrics-listen',
        'off',
      ],
      { cwd },
    )
    server.close()
    assert.equal(taken.code, 2)
    assert.match(
      taken.stderr,
      /casemate: address-in-use: [^]*something listens there already[^]*hint: .*--listen/,
    )
  })

  test('after kill -9 the same data is there, with no new token, and Ctrl-C stops it cleanly', async () => {
    const before = (await jsonOf('log show')) as { items: { index: number }[] }
    await broker.stop('SIGKILL')
    await startTour()
    assert.doesNotMatch(broker.text, /cmt_/)
    assert.match(broker.text, /1 {2}Still there\n[^]*“Good morning from inside the vault\.”/)
    const later = (await jsonOf('log show')) as { items: { index: number }[] }
    assert.ok(later.items[0]!.index > before.items[0]!.index)
    assert.match((await beside('secret list')).stdout, /default\/db\/password/)
    const { code, text } = await broker.stop('SIGINT')
    assert.equal(code, 0)
    assert.match(text, /casemate: stopped; everything that was acknowledged is on disk\n$/)
  })

  test('what an administrator has changed since ends the tour and not the broker', async () => {
    writeFileSync(join(cwd, 'strict.yaml'), 'extends: strict\nname: default\nversion: 2\n')
    await startTour()
    assert.equal((await beside('policy set default strict.yaml')).code, 0)
    assert.match(
      (await beside('policy delete default')).stdout,
      /^policy default is deleted\nwarning: handshakes use it; .* the preset strict decides\n$/,
    )
    assert.equal((await beside('policy set default strict.yaml')).code, 0)
    const unknown = await beside('token revoke ci')
    assert.equal(unknown.code, 1)
    assert.match(unknown.stderr, /^casemate: token-unknown: [^]*hint: .*casemate token list/)
    await broker.stop('SIGTERM')
    await startTour()
    assert.match(broker.text, /1 {2}Changed since\n[^]*appraisal-refused/)
    assert.equal((await broker.stop('SIGTERM')).code, 0)
  })
}

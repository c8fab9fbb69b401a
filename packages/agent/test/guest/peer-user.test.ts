import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { test } from 'node:test'
import { isOneUser, knowsPeers, userIn, userOfPeer } from '../../src/guest/peer-user.ts'

const HEAD =
  '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode'
const PEER = { address: '127.0.0.1', port: 51966 }
const LOCAL = { address: '127.0.0.1', port: 8006 }
const LITTLE = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1

function row(from: string, to: string, user: number, inode: number): string {
  return `   0: ${from} ${to} 01 00000000:00000000 00:00000000 00000000  ${user}        0 ${inode} 1 0000000000000000 20 4 30 10 -1`
}

test('the row of the other end tells its user, also where the address is mapped into IPv6', {
  skip: !LITTLE,
}, () => {
  const ours = row('0100007F:1F46', '0100007F:CAFE', 0, 11)
  const theirs = row('0100007F:CAFE', '0100007F:1F46', 1000, 12)
  const mapped = row(
    '0000000000000000FFFF00000100007F:CAFE',
    '0000000000000000FFFF00000100007F:1F46',
    1001,
    13,
  )
  assert.equal(userIn([HEAD, ours, theirs].join('\n'), PEER, LOCAL), 1000)
  assert.equal(userIn([HEAD, ours, mapped].join('\n'), PEER, LOCAL), 1001)
  assert.equal(userIn([HEAD, ours].join('\n'), PEER, LOCAL), null)
  // The same end may stand in another connection, of somebody else.
  const elsewhere = row('0100007F:CAFE', '0100007F:0050', 1002, 14)
  assert.equal(userIn([HEAD, elsewhere, theirs].join('\n'), PEER, LOCAL), 1000)
})

test('a socket that its process has closed, and which is shown as root’s, belongs to nobody', {
  skip: !LITTLE,
}, () => {
  const orphan = row('0100007F:CAFE', '0100007F:1F46', 0, 0)
  assert.equal(userIn([HEAD, orphan].join('\n'), PEER, LOCAL), null)
})

test('the system’s own table knows this process', async t => {
  if (!(await knowsPeers())) return t.skip('no /proc/net/tcp')
  const server = createServer().listen(0, '127.0.0.1')
  t.after(() => server.close())
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const client = connect(port, '127.0.0.1')
  t.after(() => client.destroy())
  const [socket] = (await once(server, 'connection')) as [Socket]
  t.after(() => socket.destroy())
  const peer = { address: '127.0.0.1', port: socket.remotePort ?? 0 }
  assert.equal(await userOfPeer(peer, { address: '127.0.0.1', port }), process.getuid?.())
  assert.equal(await userOfPeer({ ...peer, port: 1 }, { address: '127.0.0.1', port }), null)
})

test('a user whose id stands for all without one is not told apart from them', {
  skip: spawnSync('unshare', ['-U', 'true']).status !== 0 && 'no namespaces of users here',
}, async () => {
  assert.equal(await isOneUser(0), true)
  const module = (name: string): string => JSON.stringify(new URL(`../../src/guest/${name}`, import.meta.url))
  const script = `
    const { isOneUser } = await import(${module('peer-user.ts')})
    const { serveGuestApi } = await import(${module('guest-api.ts')})
    const refused = await serveGuestApi({ routes: {}, port: 0, clients: 'own', note: () => undefined }).catch(error => error.code)
    console.log(process.getuid(), await isOneUser(process.getuid()), await isOneUser(1000), refused)
    process.exit()`
  const { stdout, stderr } = spawnSync(
    'unshare',
    ['-U', process.execPath, '--input-type=module', '-e', script],
    { encoding: 'utf8' },
  )
  assert.equal(stdout, '65534 false true clients-unknown\n', stderr)
})

// Run by full-disk.test.ts on a small file system of its own: a broker meets a full disk, and is itself again after it.
// Says on one line what it saw.
import { appendFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { secretPath } from '../../src/secret-path.ts'
import { later, openTestBroker, SECOND } from '../broker.ts'

const MAX_PUTS = 2_000
const MAX_ATTEMPTS = 100

const [root = ''] = process.argv.slice(2)
const filler = join(root, 'filler')
const broker = await openTestBroker({ dataDir: join(root, 'data') })
const acknowledged: string[] = []

/** The status of the first put that was not taken. */
async function putUntilRefused(bytes: number): Promise<{ status: number; code: string }> {
  for (let at = 0; at < MAX_PUTS; at++) {
    const name = `s${acknowledged.length}`
    const answer = await broker.send('PUT', `/v1/secrets/default/key/${name}`, {
      payload: Buffer.alloc(bytes),
    })
    if (answer.status !== 201) return { status: answer.status, code: answer.body.error.code }
    acknowledged.push(name)
  }
  throw new Error('the disk did not fill up')
}

function fillDisk(): void {
  try {
    for (;;) appendFileSync(filler, Buffer.alloc(4096))
  } catch {
    // Full.
  }
}

async function ready(): Promise<{ status: number; reason: string | null }> {
  broker.clock = later(broker.clock, 2 * SECOND)
  const { status, body } = await broker.send('GET', '/readyz', { token: null })
  return { status, reason: body.reason ?? null }
}

// Room for later: without it the broker's own data would be all that there is.
appendFileSync(filler, Buffer.alloc(3_000_000))
const refusals = [await putUntilRefused(20_000)]
fillDisk()
let full = await ready()
// SQLite may find room in its write-ahead log once more: then the broker is ready, rightly, and takes something.
for (let attempts = 0; full.status === 200 && attempts < MAX_ATTEMPTS; attempts++) {
  refusals.push(await putUntilRefused(10))
  fillDisk()
  full = await ready()
}
rmSync(filler)
const free = await ready()
const last = await broker.send('PUT', '/v1/secrets/default/key/last', { payload: 'x' })
const again = await broker.reopen()
await again.context.ledger.check()
const missing: string[] = []
for (const name of acknowledged) {
  if ((await again.context.secrets.find(secretPath('default', 'key', name))) === null) missing.push(name)
}
await again.close()
process.stdout.write(
  JSON.stringify({
    refusals,
    full,
    free,
    last: last.status,
    puts: acknowledged.length,
    missing,
  }),
)

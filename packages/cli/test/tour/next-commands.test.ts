import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { reachable } from '../../src/broker/connection.ts'
import { nextCommands } from '../../src/tour/next-commands.ts'
import { temporaryDirectory } from '../run.ts'

test('what the tour offers can be pasted, wherever the data is and the broker listens', t => {
  const dataDir = join(
    temporaryDirectory(clean => t.after(clean)),
    'its own',
  )
  for (const name of ['simulator/public-trust.json', 'tour/quote.bin', 'tour/receipt.json', 'tour/log.key']) {
    mkdirSync(join(dataDir, name, '..'), { recursive: true })
    writeFileSync(join(dataDir, name), '')
  }
  const [[, get] = ['', '']] = nextCommands(dataDir, 'http://[::1]:8081')
  assert.ok(get.endsWith(" --server 'http://[::1]:8081'"), get)
  const commands = nextCommands(dataDir, 'http://127.0.0.1:8081').map(([, command]) => command)
  assert.deepEqual(commands, [
    `CASEMATE_DATA_DIR='${dataDir}' npx --no casemate secret get default/demo/greeting --server http://127.0.0.1:8081`,
    `npx --no casemate verify '${dataDir}/tour/quote.bin' --trust '${dataDir}/simulator/public-trust.json'`,
    `npx --no casemate log verify '${dataDir}/tour/receipt.json' --key '${dataDir}/tour/log.key'`,
  ])
})

test('where the broker listens on every address, commands go to this machine by a name that certificates can have', () => {
  for (const [listening, reached] of [
    ['https://0.0.0.0:8443', 'https://localhost:8443'],
    ['https://[::]:8443', 'https://localhost:8443'],
    ['https://10.0.0.0:8443', 'https://10.0.0.0:8443'],
    ['http://127.0.0.1:8081', 'http://127.0.0.1:8081'],
  ] as const)
    assert.equal(reachable(listening), reached)
})

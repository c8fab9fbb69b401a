// docs/operations.md names settings, reasons, refusals and metrics; each has to be there still.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { resolveConfig } from '../../src/config/resolve.ts'
import { SETTINGS } from '../../src/config/settings.ts'
import { createMetrics, observeBroker } from '../../src/http/metrics.ts'
import { UNREADY } from '../../src/lifecycle/readiness.ts'

const PAGE = readFileSync(new URL('../../../../docs/operations.md', import.meta.url), 'utf8')

/** Names in backticks, e.g. of settings. */
const QUOTED = new Set([...PAGE.matchAll(/`([A-Za-z_-]+)`/g)].map(([, name = '']) => name))

test('every configuration on the page is one', () => {
  const blocks = [...PAGE.matchAll(/```yaml\n(.*?)```/gs)].map(([, text = '']) => text)
  assert.ok(blocks.length >= 2)
  for (const text of blocks) resolveConfig({ flags: {}, env: {}, file: { name: 'casemate.yaml', text } })
})

test('what is written like a setting is one', () => {
  const camelCase = [...QUOTED].filter(name => /^[a-z]+([A-Z][a-z]+)+$/.test(name))
  assert.ok(camelCase.length > 10)
  for (const name of camelCase) assert.ok(Object.hasOwn(SETTINGS, name), name)
})

test('every default on the page is that of its setting', () => {
  const rows = [...PAGE.matchAll(/^\| [^|]+ \| (`[^|]+`) \| ([^|]+) \|$/gm)]
  assert.ok(rows.length >= 6)
  for (const [, names = '', values = ''] of rows) {
    const settings = names.split('; ').map(name => name.slice(1, -1) as keyof typeof SETTINGS)
    assert.deepEqual(
      values.split('; '),
      settings.map(name => SETTINGS[name].default),
    )
  }
})

test('every reason of /readyz is on the page', () => {
  for (const reason of Object.keys(UNREADY)) assert.ok(QUOTED.has(reason), reason)
})

test('every metric on the page is scraped', async () => {
  const metrics = createMetrics()
  observeBroker(metrics, { version: '0', ledgerSize: async () => 0 })
  const scraped = await metrics.registry.metrics()
  const named = [...QUOTED].filter(name => /^(kbs|casemate)_/.test(name))
  assert.ok(named.length >= 4)
  for (const name of named) assert.match(scraped, new RegExp(`^# TYPE ${name} `, 'm'))
})

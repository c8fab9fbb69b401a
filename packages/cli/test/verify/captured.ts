// Evidence captured from real hardware, with the collateral of its time.
import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { casemate } from '../run.ts'

const vectors =
  process.env['CASEMATE_VECTORS'] ?? fileURLToPath(new URL('../../../../../shared/vectors', import.meta.url))

test('a quote captured from real hardware is trusted at its time', async t => {
  if (!existsSync(vectors)) return t.skip(`no vectors at ${vectors}`)
  const intel = join(vectors, 'collateral', 'intel')
  const paths = [
    join(intel, 'tcbinfo', 'tdx-b0c06f000000-v3-e17-20250619.json'),
    join(intel, 'qeidentity', 'td_qe-e17-20250619.json'),
    join(intel, 'crl', 'root-20250320.der'),
    join(intel, 'crl', 'platform-20250619.der'),
    join(vectors, 'roots', 'intel'),
  ]
  const quote = join(vectors, 'tdx', 'phala-tdx-quote-c42f91', 'quote.bin')
  const endorsements = paths.flatMap(path => ['--endorsements', path])
  const { code, stdout, stderr } = await casemate([
    'verify',
    quote,
    '--at',
    '2025-07-04T10:24:15Z',
    ...endorsements,
  ])
  assert.equal(code, 0, stderr)
  assert.match(stdout, /TCB status +UpToDate \(oldest TCB level of 2024-03-13\)/)
  const nothing = 'its code compared with nothing'
  assert.match(
    stdout,
    new RegExp(`Verdict {2}TRUSTED by the policy strict, ${nothing}, until 2025-07-19 10:00:35Z\\n`),
  )
})

test('a whole tree of collateral serves, the malformed beside the good', async t => {
  if (!existsSync(vectors)) return t.skip(`no vectors at ${vectors}`)
  const quote = join(vectors, 'tdx', 'phala-quote-hex', 'quote.bin')
  const trees = ['collateral', 'roots'].flatMap(name => ['--endorsements', join(vectors, name)])
  const { code, stderr } = await casemate(['verify', quote, '--at', '2025-09-17T07:26:01Z', ...trees])
  assert.equal(code, 0, stderr)
  assert.match(stderr, /^(?:warning: left out: .*\n){4}$/)
})

test('a revocation list that does not cover the time is told with whose it is', async t => {
  if (!existsSync(vectors)) return t.skip(`no vectors at ${vectors}`)
  const quote = join(vectors, 'tdx', 'phala-quote-hex', 'quote.bin')
  const trees = ['--endorsements', join(vectors, 'collateral')]
  const { stdout } = await casemate(['verify', quote, '--at', '2030-01-01', ...trees])
  assert.match(stdout, /✗ crl-expired {2}the nearest revocation list of Intel SGX [\w\s]+ expired\s+at/)
})

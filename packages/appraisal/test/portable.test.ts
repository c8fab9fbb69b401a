// Under a content security policy that forbids evaluating text, as the console's page has one, everything still works.

import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { test } from 'node:test'
import { promisify } from 'node:util'

const SCRIPT = `
  const { appraise, parsePolicy, parseReferenceValues, workloadOf } = await import(process.argv[1])
  const { TDX } = await import(process.argv[2])
  const references = parseReferenceValues(JSON.stringify({ workloads: [workloadOf(TDX, 'mine')] }))
  const policy = parsePolicy('extends: strict\\nname: mine\\nversion: 1')
  const binding = { reportData: TDX.reportData, initDataDigest: 'none' }
  console.log(appraise({ claims: TDX, references, policy, binding, now: new Date(0) }).accepted)
`

test('documents are parsed and claims appraised without evaluating any text', async () => {
  const modules = ['../src/index.ts', './claims.ts'].map(path => import.meta.resolve(path))
  const flags = ['--disallow-code-generation-from-strings', '--input-type=module', '--eval', SCRIPT]
  const { stdout } = await promisify(execFile)(process.execPath, [...flags, ...modules])
  assert.equal(stdout.trim(), 'true')
})

// What is typed wrong is found before anything is asked for, and says how it is right.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { casemate } from '../run.ts'

const NOBODY = { CASEMATE_SERVER: 'http://127.0.0.1:1' }

const MISTAKES: readonly (readonly [string, RegExp])[] = [
  ['run', /^casemate: argument-missing: run needs \[--\] COMMAND/],
  ['run --secrets a/b/c=X -- env', /unknown-flag: [^]*hint: did you mean: --secret\n/],
  ['run ls -l', /unknown-flag: run has no flag -l\nhint: flags of the command itself come after --\n/],
  [
    'run --secret a/b=X -- env',
    /flag-value-invalid: --secret: a\/b is no secret’s path\nhint: repository\/type/,
  ],
  ['run --secret X=a/b/c -- env', /hint: the path comes first: a\/b\/c=X\n/],
  ['run --secret a/b/c -- env', /names no variable\nhint: --secret a\/b\/c=NAME\n/],
  ['run --secret a/b/c=1X -- env', /1X is no name of a variable/],
  ['run --secret a/b/c=CASEMATE_TOKEN -- env', /CASEMATE_TOKEN is of this command’s own variables/],
  ['run --secret a/b/c=X --secret-file a/b/d=X -- env', /flag-repeated: two secrets are to be X\n/],
  [
    'run --on-lease-end stopp -- env',
    /flag-value-invalid: [^]*hint: did you mean stop\? one of stop, keep\n/,
  ],
  ['run --on-change SIGKILL -- env', /flag-value-invalid: --on-change is SIGKILL\n/],
  ['run --grace soon -- env', /--grace is soon\nhint: a whole number from 0 to 3600\n/],
  ['run --allow a/b/* -- env', /flag-value-unwanted: --allow [^]*hint: with --guest-api 0\n/],
  ['run --guest-api 0 --allow a/b -- env', /--allow is a\/b\nhint: repository\/type\/tag, each/],
  ['run --guest-api 65536 -- env', /--guest-api is 65536/],
  ['agent --port http', /flag-value-invalid: --port is http\n/],
  ['agent --features attest', /hint: did you mean attestation\?|hint: one of all, resource, attestation/],
  ['agent --clients all', /flag-value-invalid: --clients is all\n/],
  ['agent --allow a/b/*', /--allow is no limit with --features all\nhint: [^]*--features resource\n/],
]

for (const [line, expected] of MISTAKES) {
  test(`refused as it was typed: ${line}`, async () => {
    const { code, stderr } = await casemate(line.split(' '), { env: NOBODY })
    assert.equal(code, 2, stderr)
    assert.match(stderr, expected)
  })
}

// Files of a directory that are taken for sealed, before anything is moved.
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { findSealed } from '../../../src/sealing/files/reseal.ts'
import { fill, folder, OLD, SAMPLES, sealSample } from './fixture.ts'

test('a directory that is named twice is gone through once, and what is being made is not taken', async t => {
  const directory = folder(t)
  await fill(directory)
  writeFileSync(join(directory, 'notes'), 'not sealed')
  writeFileSync(
    join(directory, `.casemate-${process.ppid}-0123456789abcdef`),
    await sealSample(SAMPLES[0]!, OLD),
  )
  const { files, left } = await findSealed([directory, directory])
  assert.deepEqual([files.length, left], [3, 1])
})

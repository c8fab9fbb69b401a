// Sealing into files and opening them, where it is not the command that shows it.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { test } from 'node:test'
import { unsealFile } from '../../../src/sealing/files/seal-file.ts'
import { rejectsCode } from '../../expect-code.ts'
import { folder, OLD, SAMPLES, sealSample } from './fixture.ts'

test('opening for a reader that has gone ends with a code', async t => {
  const path = join(folder(t), 'sealed')
  writeFileSync(path, await sealSample(SAMPLES[2]!, OLD))
  const gone = new PassThrough()
  gone.on('error', () => undefined).destroy()
  const opening = unsealFile(path, gone, { opener: () => OLD, signal: null, progress: () => undefined })
  await rejectsCode('file-unwritable', opening)
})

// A directory that is gone after the tests.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export function temporaryDirectory(atEnd: (clean: () => void) => void): string {
  const path = mkdtempSync(join(tmpdir(), 'casemate-agent-'))
  atEnd(() => rmSync(path, { recursive: true, force: true }))
  return path
}

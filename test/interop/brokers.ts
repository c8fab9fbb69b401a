// A real broker on loopback, set up over /v1 alone, as an operator does it.

import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createLogger, resolveConfig, startBroker } from '@casemate/broker'
import type { Hardware } from './hardware.ts'

export interface Operated {
  readonly url: string
  readonly adminToken: string
  put(path: string, body: object | string): Promise<void>
  close(): Promise<void>
}

export async function openBroker(
  { intel, amd }: Hardware,
  settings: Readonly<Record<string, string>> = {},
): Promise<Operated> {
  const dataDir = mkdtempSync(join(tmpdir(), 'casemate-interop-'))
  const flags = {
    'data-dir': dataDir,
    listen: '127.0.0.1:0',
    'metrics-listen': 'off',
    offline: 'true',
    ...settings,
  }
  const broker = await startBroker(resolveConfig({ flags, env: {}, file: null }).values, {
    now: () => new Date(),
    elapsedMs: () => performance.now(),
    anchors: [...intel.anchors, ...amd.anchors],
    endorsements: [...intel.endorsements, ...amd.endorsements],
    logger: createLogger('silent'),
  })
  const adminToken = broker.firstAdminToken!
  const authorization = `Bearer ${adminToken}`
  return {
    url: broker.url,
    adminToken,
    put: async (path, body) => {
      const isDocument = typeof body === 'object'
      const answer = await fetch(`${broker.url}/v1/${path}`, {
        method: 'PUT',
        headers: {
          authorization,
          'content-type': isDocument ? 'application/json' : 'application/octet-stream',
        },
        body: isDocument ? JSON.stringify(body) : body,
      })
      assert.ok(answer.ok, `PUT ${path}: ${answer.status} ${await answer.text()}`)
    },
    close: async () => {
      await broker.close()
      rmSync(dataDir, { recursive: true })
    },
  }
}

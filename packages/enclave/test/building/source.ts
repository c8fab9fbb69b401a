// Sources of enclaves, written into a folder that is gone after the test; and running what was built of them.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import type { TestContext } from 'node:test'
import { buildEnclave } from '../../src/building/build.ts'
import type { BuildSettings } from '../../src/building/settings.ts'
import { signImage } from '../../src/image/sign.ts'
import { Enclave } from '../../src/running/enclave.ts'
import type { EnclavePlatform } from '../../src/running/platform.ts'
import { DATE, SIGNING } from '../image/keys.ts'

export type Files = Readonly<Record<string, string | Uint8Array>>

export function write(t: TestContext, files: Files): string {
  const folder = mkdtempSync(join(tmpdir(), 'enclave-build-'))
  t.after(() => rmSync(folder, { recursive: true }))
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true })
    writeFileSync(join(folder, name), content)
  }
  return folder
}

/** Of `hello.ts`. */
export function build(
  t: TestContext,
  files: Files,
  settings: Partial<BuildSettings> = {},
): Promise<Uint8Array> {
  return buildEnclave({ entry: join(write(t, files), 'hello.ts'), ...settings })
}

export async function start(
  t: TestContext,
  image: Uint8Array,
  platform: Partial<EnclavePlatform> = {},
): Promise<Enclave> {
  const enclave = await Enclave.create(signImage(image, { ...DATE, privateKey: SIGNING.privateKey }), {
    platform: {
      sealing: null,
      secrets: new Map(),
      log: () => undefined,
      report: () => undefined,
      ...platform,
    },
    debug: false,
    signers: 'any',
    measurement: 'any',
  })
  t.after(() => enclave.close())
  return enclave
}

export const bytes = (value: string): Uint8Array => new TextEncoder().encode(value)
export const utf8 = (value: Uint8Array): string => Buffer.from(value).toString()

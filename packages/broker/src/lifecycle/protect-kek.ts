// Puts the key-encryption key under a passphrase, under another one, or under the mode of its file alone. No broker may
// run meanwhile: it is done under the lock of the data directory, on keys that were seen to open its database.

import { existsSync } from 'node:fs'
import { type BrokerConfig, kekFileOf } from '../config/settings.ts'
import { entry } from '../entry.ts'
import { StartError } from '../errors.ts'
import { readPassphraseFile } from '../keys/passphrase.ts'
import { type Clocks, openState } from './state.ts'

/** The key file as it is from now on. */
export interface ProtectedKek {
  readonly keyFile: string
  readonly versions: readonly number[]
  readonly ledgerIndex: number
}

/**
 * `config` says what opens the key file now; with the file of a passphrase that opens it from then on, or null for none.
 * The versions stay the same, so that no backup of the database needs anything else than before.
 * @throws {StartError} `data-directory-in-use`, `kek-missing`, `kek-passphrase-missing`, `kek-passphrase-wrong`, and as a start
 */
export async function protectKek(
  config: BrokerConfig,
  passphraseFile: string | null,
  clocks: Clocks,
): Promise<ProtectedKek> {
  const keyFile = kekFileOf(config)
  // Opening would make both anew.
  if (!existsSync(keyFile)) {
    throw new StartError('kek-missing', `there is no key-encryption key at ${keyFile}`, {
      hint: 'name the broker’s data directory with --data-dir DIR, or its key file with --kek-file FILE',
    })
  }
  const passphrase = passphraseFile === null ? null : readPassphraseFile(passphraseFile)
  const state = await openState(config, clocks)
  try {
    const by = passphrase === null ? 'file' : 'passphrase'
    // First the record, as with a rotation: a crash in between leaves no deed without one.
    const head = { type: 'kek.protected', at: clocks.now(), actor: { system: 'key protect' } } as const
    const { kek } = state
    const { index } = await state.record(entry(head, { by }))
    await kek.protect(passphrase)
    return { keyFile, versions: kek.versions, ledgerIndex: index }
  } finally {
    await state.close()
  }
}

// Acts that several examples play: a stranger is refused, and the log shows the one release of the key.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { encodeImage, parseImage, signImage } from '@casemate/enclave'
import { PartyFailed } from './child.ts'
import { dateOf, newSigningKey, type Stage } from './stage.ts'
import type { Story } from './story.ts'

/** Starts the same code, signed by somebody else: the code of the refusal. */
export async function strangerRefused(stage: Stage): Promise<string> {
  const { manifest, code } = parseImage(stage.image.bytes)
  const date = dateOf(new Date())
  const image = signImage(encodeImage(manifest, code), { privateKey: newSigningKey(), date })
  try {
    await stage.startServer({ image })
  } catch (error) {
    if (error instanceof PartyFailed) return error.code
    throw error
  }
  throw new Error('another signer’s enclave got the key')
}

/** Proves the release offline, and leaves receipt and public key in the stage's folder. */
export async function recordRelease(stage: Stage, story: Story): Promise<void> {
  const [release, ...more] = await stage.receipts()
  if (release === undefined || more.length > 0) throw new Error('the log does not show exactly one release')
  writeFileSync(join(stage.directory, 'receipt.json'), JSON.stringify(release.receipt, null, 2))
  writeFileSync(join(stage.directory, 'log.key'), `${stage.broker.ledgerKey}\n`)
  story.step('Record', 'The broker’s log says who got the key, and nobody can rewrite it unnoticed.', [
    {
      what: 'receipt',
      detail: `entry ${release.index} of ${release.treeSize}: the one release of the key, checked offline with the log’s public key`,
    },
  ])
}

// Words of a verdict for what was compared of the code that runs: an accepted verdict must not be read as more than it is.

import type { CodeKnownBy } from '@casemate/appraisal'

const WORDS: Readonly<Record<CodeKnownBy, string>> = {
  measurement: '',
  signer: ', its code known by the signer alone',
  firmware: ', its firmware compared, and nothing that it loads',
  nothing: ', its code compared with nothing',
}

/** To be put behind the policy of a verdict; results of earlier versions do not say it. */
export function knownCodeWords(by: unknown): string {
  return typeof by === 'string' && Object.hasOwn(WORDS, by) ? WORDS[by as CodeKnownBy] : ''
}

// What has to follow from what was done, within this process and over loopback: it is there some turns of the event loop
// later, or never. A test that waits for it fails at once where it does not come, and does not hang.
import assert from 'node:assert/strict'
import { setImmediate } from 'node:timers/promises'

/** Of loopback, both ends of which are here, a few are enough. */
const TURNS = 20_000

export async function soon<T>(awaited: Promise<T>): Promise<T> {
  const settled = awaited.then(
    () => true,
    () => true,
  )
  for (let turn = 0; turn < TURNS; turn++) {
    if (await Promise.race([settled, setImmediate(false)])) return awaited
  }
  return assert.fail('what had to follow has not come')
}

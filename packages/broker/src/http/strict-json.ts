// JSON as the broker accepts it: within the limits of who sends it, and every member once, since a policy could otherwise
// say one thing to its reader and another to the broker.

import { type JsonLimits, jsonFault } from '@casemate/evidence'
import { BrokerError } from '../errors.ts'

/**
 * Evidence: certificate tables are arrays of a number for each byte, of 64 KiB at most, written with or without spaces;
 * init-data of 256 KiB is a text in which each line and quote is escaped.
 */
export const GUEST_JSON: Required<JsonLimits> = {
  depth: 24,
  structure: 2048,
  elements: 80_000,
  beside: 384 * 1024,
  escapes: 98_304,
}

/** Documents of administrators, who have shown a token. */
export const ADMINISTRATOR_JSON: JsonLimits = { depth: 64, structure: 131_072, elements: 262_144 }

/**
 * Passes over what is not JSON: that is for the parser to say.
 * @throws {BrokerError} `request-too-complex`, as soon as it is; `request-malformed` for a member that is there twice
 */
export function checkJson(text: string, limits: JsonLimits, what: string): void {
  const found = jsonFault(text, limits)
  if (found === null) return
  if (found.fault === 'twice') {
    const detail = { expected: 'every member once', got: found.name }
    throw new BrokerError('request-malformed', `an object of ${what} names a member twice`, detail)
  }
  throw new BrokerError('request-too-complex', `${what} has more in it than is read here`, {
    expected: `${WORDS[found.limit]} up to ${limits[found.limit]}`,
    got: 'more',
  })
}

const WORDS: Readonly<Record<keyof JsonLimits, string>> = {
  depth: 'a depth of arrays and objects',
  structure: 'a number of arrays, objects and names',
  elements: 'a number of elements',
  beside: 'a number of characters beside texts',
  escapes: 'a number of escapes',
}

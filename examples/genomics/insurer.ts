// The insurer: shows a person's consent code and learns the tenth of the cohort that the person's risk is in.
import { CODE_SIZE } from './biobank.ts'

/** A request to the enclave. */
export function encodeRequest(name: string, code: Uint8Array): Uint8Array {
  const person = new TextEncoder().encode(name)
  const request = new Uint8Array(CODE_SIZE + person.length)
  request.set(code)
  request.set(person, CODE_SIZE)
  return request
}

/** From 1, the lowest risk, to 10; null for somebody of whom too little is known. */
export function decodeBand(answer: Uint8Array): number | null {
  const [band] = answer
  if (answer.length !== 1 || band === undefined || band > 10) throw new TypeError('the answer is not a band')
  return band === 0 ? null : band
}

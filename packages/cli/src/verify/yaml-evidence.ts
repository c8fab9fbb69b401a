// Evidence inside of YAML, as notes and manifests have it; and the documents that are given by flags of their own, where one
// of them stands in the place of evidence. What YAML made of a text (cut at a comment, turned into a number) shows in the
// evidence, so that a refusal says that it was read out of YAML.

import { type ParsedEvidence, Refusal, recognise } from '@casemate/evidence'

/** A first line that JSON, PEM and digits do not have. */
const FIRST_LINE = /^(?:---|%YAML|#|[A-Za-z_][\w.-]*:(?:\s|$))/

/** A member whose text is the lines below it, which no other form has. */
const BLOCK = /^[\w.-]+:[ \t]*[|>][-+\d]*[ \t]*$/m
const CUT = 'YAML ends a text at a line that is indented less and at “ #”; quote it, or use a file of its own'

/** Members of documents that are no evidence, and how those are given. */
const DOCUMENTS: readonly (readonly [members: readonly string[], what: string, flag: string])[] = [
  [['extends', 'kinds'], 'an appraisal policy', '--policy FILE'],
  [['workloads'], 'reference values', '--references FILE, once for each file'],
]

/** Null for what is no YAML with members. @throws {Refusal} if it is, and holds no whole evidence */
export async function evidenceInYaml(bytes: Uint8Array): Promise<ParsedEvidence | null> {
  const text = new TextDecoder().decode(bytes).trimStart()
  if (!FIRST_LINE.test(text)) return null
  const document = await parseYaml(text)
  if (document === null) return null
  for (const [members, what, flag] of DOCUMENTS) {
    if (!members.some(name => name in document)) continue
    throw new Refusal('evidence-malformed', `it is ${what}, and no evidence`, { hint: `give it by ${flag}` })
  }
  try {
    return recognise(new TextEncoder().encode(JSON.stringify(document)))
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    throw new Refusal(error.code, `it is YAML, and what was read out of it is not whole: ${error.message}`, {
      ...(error.expected === undefined ? {} : { expected: error.expected }),
      ...(error.got === undefined ? {} : { got: error.got }),
      hint: error.hint ?? CUT,
      cause: error,
    })
  }
}

async function parseYaml(text: string): Promise<object | null> {
  const { parse } = await import('../files/yaml.ts')
  try {
    const document: unknown = parse(text, { logLevel: 'error' })
    return typeof document === 'object' && document !== null && !Array.isArray(document) ? document : null
  } catch (cause) {
    // Neither YAML nor evidence: what recognise said stands.
    if (!BLOCK.test(text)) return null
    throw new Refusal('evidence-malformed', 'it begins like YAML and is not', { hint: CUT, cause })
  }
}

// Advice about refusals of the broker, beside what it says itself.

/** Codes that the broker keeps short, because whoever asks need not know more; an administrator may. */
const HINTS: ReadonlyMap<string, string> = new Map(
  Object.entries({
    'appraisal-refused':
      'an auditor reads why: casemate attestation show ID, or attestation list --verdict refused',
    'evidence-refused':
      'an auditor reads why: casemate attestation show ID, or attestation list --verdict refused',
    'release-denied': 'an auditor reads which rule denied: casemate log show --attestation ID',
    'policy-missing': 'casemate policy list shows those that there are',
    'reference-missing': 'casemate reference list shows those that there are',
    'rule-missing': 'casemate rule list shows those that there are',
    'secret-missing': 'casemate secret list shows those that there are',
    'attestation-missing':
      'an id is taken whole, or as its last characters: casemate attestation list shows those that there are',
    'token-invalid': 'is CASEMATE_TOKEN a token of this broker? casemate token list shows which there are',
    'token-unknown': 'tokens go by their id, not their name: casemate token list shows it',
    'token-expired': 'an administrator makes a new one: casemate token create',
  }),
)

/** Whatever a broker says no more of to a guest is on record under the id that it gives. */
export function auditHint(message: string): { readonly hint?: string } {
  const id = /\(attestation ([0-9a-f-]{36})\)/.exec(message)?.[1]
  return id === undefined ? {} : { hint: `an auditor reads why: casemate attestation show ${id}` }
}

/** With the id that the message names, so that the command can be typed as it stands. */
export function hintOf(code: string, message: string): { readonly hint?: string } {
  const hint = HINTS.get(code)
  const id = /\(attestation ([0-9a-f-]{36})\)$/.exec(message)?.[1] ?? 'ID'
  return hint === undefined ? {} : { hint: hint.replace(/\bID\b/, id) }
}

// PEM's armour (RFC 7468) around evidence, whatever its label says; and JWTs, which look like base64 with dots.

import { decodeUtf8, fromBase64 } from '../bytes.ts'
import { quoteUntrusted } from '../untrusted-text.ts'
import { damaged, type Form, unsupported } from './layer.ts'

/** A line of its own (RFC 7468, section 3): in the middle of one stands what a dump shows of certificates. */
const BEGIN = /^[ \t]*-----BEGIN /m
const BLOCK = /^[ \t]*-----BEGIN ([A-Z0-9 ]{1,40})-----\r?\n([^-]*)-----END \1-----/m
/** Endorsements and keys, which are no evidence. */
const OTHER_LABELS = /CERTIFICATE|CRL|KEY|PARAMETERS/

export const ARMOUR: Form<string> = {
  name: 'PEM armour',
  open: text => {
    if (!BEGIN.test(text)) return null
    const found = BLOCK.exec(text)
    const [whole = '', label, contents] = found ?? []
    if (found === null || label === undefined || contents === undefined) {
      throw damaged('the PEM armour', 'a line of BEGIN and one of END', 'another')
    }
    if (OTHER_LABELS.test(label)) {
      throw unsupported(
        `a ${label.toLowerCase()} in PEM, and no evidence`,
        label.includes('KEY')
          ? 'a key proves nothing; give the quote or report'
          : 'give it by --endorsements, beside the quote or report that it is for',
      )
    }
    if (BEGIN.test(text.slice(found.index + whole.length))) {
      throw damaged('the PEM armour', 'one block, cut out of its file', 'several')
    }
    // Headers as of RFC 1421 end with an empty line.
    const body = /^[\w-]+: [^]*?\r?\n\r?\n([^]*)$/.exec(contents)?.[1] ?? contents
    return { is: 'text', text: body.trim() }
  },
}

const JWT = /^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*$/
/** As much of the claims is looked at as any issuer writes. */
const MAX_CLAIMS_LENGTH = 64 * 1024

/** Whose token it is, by its issuer or by claims that nobody else has. */
const TOKENS: readonly (readonly [RegExp, string])[] = [
  [/trustauthority|"amber_|"attester_tcb_status"/i, 'Intel Trust Authority'],
  [/\.attest\.azure\.net|"x-ms-attestation-type"/, 'Microsoft Azure Attestation'],
  [/confidentialcomputing\.googleapis\.com/, 'Google Confidential Space'],
  [/attestation[\w.-]{0,40}\.nvidia\.com|"x-nvidia-/, 'NVIDIA’s attestation service'],
  [/"CoCo-Attestation-Service"|"ear\.status"|veraison\/ear/, 'a verifier of its own (EAR), such as Trustee'],
]

export const JSON_WEB_TOKEN: Form<string> = {
  name: 'a JWT',
  open: text => {
    if (!text.startsWith('eyJ') || !JWT.test(text)) return null
    const payload = fromBase64(text.split('.')[1] ?? '') ?? new Uint8Array(0)
    const claims = (decodeUtf8(payload) ?? '').slice(0, MAX_CLAIMS_LENGTH)
    const [, of] = TOKENS.find(([pattern]) => pattern.test(claims)) ?? []
    const [, issuer] = /"iss"\s*:\s*"([^"]{1,100})"/.exec(claims) ?? []
    const from = issuer === undefined ? '' : ` of ${quoteUntrusted(issuer)}`
    throw unsupported(
      of === undefined ? `a JSON Web Token${from}` : `an attestation token of ${of}`,
      'a token is what another verifier made of evidence: give the quote or report itself',
    )
  },
}

// Hints about an answer that no broker gives, or about something at the address that speaks no HTTP: proxies refuse
// and fail in HTML of their own, and another server may be behind the URL. A broker's own errors have their own hints.

const PROXY = 'this is no answer of a broker: '

const HINTS: ReadonlyMap<number, string> = new Map([
  [404, `${PROXY}is the URL right, and does a proxy pass this path on?`],
  [
    413,
    `${PROXY}a proxy before it takes no body as large (nginx: client_max_body_size); give it the broker’s bodyLimit`,
  ],
  [429, `${PROXY}a proxy before it limits requests`],
])
const REFUSED = `${PROXY}is the URL right, and does a proxy before it refuse this client?`
const BEHIND = `${PROXY}a proxy answers, and reaches none; is the broker running, and does the proxy have its address?`

/** The hint for an error status without an error of a broker's in it; `secure` is whether `https` was spoken. */
export function hintOfStranger(status: number, secure: boolean): string {
  if (status === 400 && !secure) return `${PROXY}if the server speaks TLS, the URL begins with https://`
  return HINTS.get(status) ?? (status >= 500 ? BEHIND : REFUSED)
}

/** The hint for a success without what a broker would say. */
export const NO_BROKER = `${PROXY}is the URL right?`

/** Whether what answered on a TLS connection was no TLS at all, by the code below `fetch failed`. */
export function speaksNoTls(system: string | undefined): boolean {
  return system === 'ERR_SSL_WRONG_VERSION_NUMBER' || system === 'ERR_SSL_PACKET_LENGTH_TOO_LONG'
}

/** The hint if a server on this machine, or elsewhere, speaks no TLS. */
export function hintOfPlain(url: string, isNear: boolean): string {
  return isNear
    ? `a broker without TLS has a URL with http: ${url.replace(/^https:/, 'http:')}`
    : 'beyond its own machine a broker has TLS (tlsCertFile, tlsKeyFile), or a proxy before it that has: is it the right port?'
}

/** The hint where no HTTP came about, by the code below `fetch failed`; http and https are easily taken for one another. */
export function hintOfSilence(system: string | undefined, secure: boolean): string {
  if (secure && /^(?:ERR_SSL|EPROTO)/.test(system ?? '')) {
    return 'no TLS of a version and cipher that both have came about: is it the right port?'
  }
  if (!secure && (system === 'UND_ERR_SOCKET' || system === 'ECONNRESET')) {
    return 'what listens there hung up: if it speaks TLS, the URL begins with https://'
  }
  return 'is it running (casemate up), and is the URL right?'
}

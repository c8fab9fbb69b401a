// The cookie `kbs-session-id` (RFC 6265): made and read here, with as little of the grammar as one cookie needs.

/** The name that guests' cookie jars send back. */
export const SESSION_COOKIE = 'kbs-session-id'

/** Longest Cookie header looked at; guests have one cookie. */
const MAX_COOKIE_HEADER_CHARS = 8192

/** How long a cookie is good for, and over what it travels. */
export interface CookieScope {
  readonly now: Date
  readonly expires: Date
  readonly secure: boolean
}

/**
 * `Set-Cookie` for a sealed session. Without a path it is for the directory of `auth` as the guest sees it, /kbs/v0,
 * which covers `attest` and every resource, also behind a proxy that serves the broker under a path. Max-Age is for
 * guests whose clock is off, and comes before Expires where both are understood (RFC 6265, 5.3).
 */
export function setCookie(token: string, { now, expires, secure }: CookieScope): string {
  const parts = [
    `${SESSION_COOKIE}=${token}`,
    `Expires=${expires.toUTCString()}`,
    `Max-Age=${Math.max(0, Math.floor((expires.getTime() - now.getTime()) / 1000))}`,
    'HttpOnly',
    'SameSite=Strict',
  ]
  if (secure) parts.push('Secure')
  return parts.join('; ')
}

/** The session's token in a `Cookie` header, or null. Where a cookie is given twice, the first counts. */
export function readCookie(header: string | undefined): string | null {
  if (header === undefined || header.length > MAX_COOKIE_HEADER_CHARS) return null
  for (const pair of header.split(';')) {
    const [name, value] = splitOnce(pair.trim())
    if (name === SESSION_COOKIE) return value
  }
  return null
}

function splitOnce(pair: string): readonly [string, string] {
  const at = pair.indexOf('=')
  return at < 0 ? [pair, ''] : [pair.slice(0, at), pair.slice(at + 1)]
}

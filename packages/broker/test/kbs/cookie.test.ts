import assert from 'node:assert/strict'
import test from 'node:test'
import { readCookie, setCookie } from '../../src/kbs/cookie.ts'

const now = new Date('2026-11-22T12:00:00Z')
const expires = new Date('2026-11-22T12:05:00Z')

test('the cookie is for this host, for the directory of the handshake alone, and for no script', () => {
  assert.equal(
    setCookie('abc', { now, expires, secure: false }),
    'kbs-session-id=abc; Expires=Sun, 22 Nov 2026 12:05:00 GMT; Max-Age=300; HttpOnly; SameSite=Strict',
  )
})

test('under TLS the cookie is secure', () => {
  assert.match(setCookie('abc', { now, expires, secure: true }), /; Secure$/)
})

test('the session is found among other cookies', () => {
  assert.equal(readCookie('kbs-session-id=abc'), 'abc')
  assert.equal(readCookie('a=b; kbs-session-id=abc; c'), 'abc')
  assert.equal(readCookie('a=b;kbs-session-id=a=b'), 'a=b')
})

test('no cookie, another cookie and a huge header are no session', () => {
  for (const header of [undefined, '', 'a=b', 'xkbs-session-id=abc', 'kbs-session-id2=abc']) {
    assert.equal(readCookie(header), null)
  }
  assert.equal(readCookie(`kbs-session-id=abc; a=${'x'.repeat(9000)}`), null)
})
